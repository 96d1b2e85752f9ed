"""Orders through an iLO: given once, seen, and no session left behind."""

import pytest

from tests.control.conftest import order, run
from tests.factories import make_component, make_credential, make_interface
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_program  # noqa: F401

pytestmark = pytest.mark.django_db


def test_an_ilo_takes_orders_and_shows_that_they_are_done(admin, queued, ilo_program: IloProgram):  # noqa: F811
    server = make_interface(
        make_component(),
        driver="ilo",
        address="127.0.0.1",
        port=ilo_program.port,
        credential=make_credential("password", username=USER, password=SECRET),
    )
    for operation, arguments, seen in (
        ("boot", {"device": "pxe"}, "It is set to start from the network (PXE)."),
        ("lamp", {}, "The lamp is lit."),
        ("power", {"action": "off"}, "It is off."),
        ("power", {"action": "off"}, "It was off already: nothing was ordered."),
        ("power", {"action": "on"}, "It is on."),
        ("power", {"action": "cycle"}, "It has started anew, and is on."),
        ("power", {"action": "reset"}, "It has started anew, and is on."),
    ):
        ilo_program.tell("tested")
        (step,) = run(order(admin, [server], operation, **arguments))
        assert (step.state, step.code, str(step.message)) == ("done", "", seen)
    (step,) = run(order(admin, [server], "clear_log"))
    assert step.state == "done"
    assert ilo_program.tell("orders") == "ForceOff, On, ColdBoot, ForceRestart"
    assert ilo_program.tell("sessions") == "0"

"""An order, or a check, of many controllers with one wrong password: two are asked, the others never hear of it."""

import pytest

from apps.components.services import checks
from apps.core.actors import SYSTEM
from apps.simulators.bmc import Order
from tests.control.conftest import order, run
from tests.controllers import PASSWORD, USERNAME, controllers, loop_thread
from tests.factories import make_component, make_credential, make_interface

pytestmark = pytest.mark.django_db

EIGHT = 8  # fewer than are ordered at once


@pytest.mark.parametrize("password", ["wrong", PASSWORD])
def test_a_bulk_order_offers_a_password_to_two_before_all_others(admin, queued, password):
    with loop_thread() as thread, controllers(thread, [f"127.0.76.{number}" for number in range(1, EIGHT + 1)]) as rack:
        credential = make_credential("password", username=USERNAME, password=password)
        ways = [
            make_interface(make_component(), driver="bmc", address=one.address, port=one.port, credential=credential)
            for one in rack
        ]
        steps = run(order(admin, ways, action="off"))
        asked, orders = sorted(one.sessions.asked for one in rack), [list(one.machine.orders) for one in rack]
    if password == PASSWORD:
        assert [(step.state, str(step.message)) for step in steps] == [("done", "It is off.")] * EIGHT
        assert orders == [[Order.OFF]] * EIGHT
    else:
        assert [(step.state, step.code) for step in steps] == [("failed", "authentication_failed")] * EIGHT
        assert asked == [0] * (EIGHT - 2) + [1, 1]
        assert orders == [[]] * EIGHT


def test_a_check_of_many_by_hand_offers_it_to_two_as_well(admin, queued):
    with loop_thread() as thread, controllers(thread, [f"127.0.77.{number}" for number in range(1, EIGHT + 1)]) as rack:
        credential = make_credential("password", username=USERNAME, password="wrong")
        ways = [
            make_interface(make_component(), driver="bmc", address=one.address, port=one.port, credential=credential)
            for one in rack
        ]
        for asked_in_all in (2, 4):  # whoever asks once more offers it once more
            job = checks.check([way.component for way in ways], SYSTEM)
            checks.run_check(job.pk)
            assert {step.code for step in job.steps.all()} == {"authentication_failed"}
            assert sum(one.sessions.asked for one in rack) == asked_in_all

"""An order for many controllers with one wrong password: two are asked, the others never hear of it."""

import pytest

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

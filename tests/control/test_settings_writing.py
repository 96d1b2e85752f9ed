"""What is said to a device when a change is tried again: to whom, by which login, and what; without a database."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from apps.control.settings.writing import Plan, WriteOrder
from apps.core.phrases import Phrase
from apps.drivers.contract import Carries, Target
from apps.drivers.fake.driver import FakeDriver
from apps.protocols import ipmi
from apps.protocols.errors import DeviceError, NotNow, Unreachable, Unsupported
from apps.protocols.ipmi.messages import Answer
from apps.protocols.redfish.answers import failure

pytestmark = pytest.mark.one_database
OLD = Target("127.0.0.1", 443, "password", {"username": "admin", "password": "old-word"})
OTHER = "127.0.0.2"


def order(**changes: object) -> WriteOrder:
    carries = {"users.2.password": Carries.PASSWORD, "network.address": Carries.ADDRESS}
    before = {"network.address": OLD.address} if "network.address" in changes else {}
    return WriteOrder(
        Plan(
            changes=changes,  # type: ignore[arg-type]
            before=before,
            labels={name: Phrase(name) for name in changes},
            secrets=frozenset(name for name in changes if name.endswith("password")),
            carries={name: what for name, what in carries.items() if name in changes},
        )
    )


def give(made: WriteOrder, target: Target) -> Target:
    """Give it in one conversation; gives how the device is left, as the next one finds it."""

    async def speak() -> Target:
        async with FakeDriver(made.reach(target)) as device:
            with contextlib.suppress(NotNow):
                await made.give(device)
            return replace(target, state=device.state)

    return asyncio.run(speak())


def test_a_password_that_was_refused_for_the_moment_is_not_offered_before_it_was_taken():
    made = order(**{"users.2.password": "new-word"})
    target = replace(OLD, parameters={"obedience": "hesitant"})
    target = give(made, target)
    assert made.sent
    assert made.reach(target).credential["password"] == "old-word"
    made.again()
    target = give(made, target)
    assert made.reach(target).credential["password"] == "new-word"
    made.again()
    assert list(give(made, target).state["machine"]["orders"]) == ["set users.2.password"] * 2  # taken: not once more


def test_an_address_that_may_not_be_in_use_yet_is_asked_in_turn_with_the_former_one():
    made = order(**{"network.address": OTHER, "services.snmp": True})
    target = replace(OLD, parameters={"obedience": "deaf"})
    assert made.reach(target).address == OLD.address
    target = give(made, target)
    assert {made.reach(target).address for _ in range(4)} == {OTHER}  # it took it, by its own word
    made.again()
    assert {made.reach(target).address for _ in range(2)} == {OTHER, OLD.address}

    async def look() -> None:
        async with FakeDriver(target) as device:
            assert await made.look(device) is None

    asyncio.run(look())
    made.again()
    assert made.reach(target).address == OLD.address  # where it answered last
    assert made.tries == 3


def test_one_that_was_not_reached_by_then_stays_where_it_is():
    made = order(**{"network.address": OTHER, "services.snmp": True})
    give(made, replace(OLD, parameters={"obedience": "hesitant"}))  # the network comes last
    assert made.sent
    assert made.reach(OLD).address == OLD.address


@pytest.mark.parametrize(("code", "kind"), [(0xC0, NotNow), (0xD2, NotNow), (0xD5, NotNow), (0xCC, Unsupported)])
def test_a_bmc_says_whether_it_may_take_it_later(code, kind):
    session = ipmi.IpmiSession(ipmi.IpmiTarget("192.0.2.1", username="admin", password="x"), "192.0.2.1")
    error = session.error(Answer(code, b""))
    assert type(error) is kind
    assert not isinstance(session.error(Answer(0xC9, b"")), NotNow)
    assert error.retry_helps is (kind is NotNow)


@pytest.mark.parametrize(
    ("status", "keys", "kind"),
    [
        (409, {"ResourceInUse"}, NotNow),
        (400, {"ServiceTemporarilyUnavailable"}, NotNow),
        (500, set(), NotNow),
        (409, {"ResourceAlreadyExists"}, DeviceError),
        (500, {"PropertyValueFormatError"}, DeviceError),
        (400, {"PropertyValueNotInList"}, DeviceError),
        (412, {"PreconditionFailed"}, DeviceError),
        (503, {"ServiceTemporarilyUnavailable"}, Unreachable),
        (403, {"InsufficientPrivilege"}, Unsupported),
    ],
)
def test_a_redfish_service_says_whether_it_may_take_it_later(status, keys, kind):
    error = failure(status, "words", "192.0.2.1", "/redfish/v1/", keys)
    assert isinstance(error, kind)
    assert isinstance(error, NotNow) is (kind is NotNow)

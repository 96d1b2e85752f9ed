"""What is said to a device about its subscriptions. No database in here."""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from apps.alerts.subscriptions.paths import FOLDER, hash_of, path_of
from apps.components import contact
from apps.components.contact import Line
from apps.drivers.contract import Driver, Subscription, Subscriptions
from apps.protocols.errors import ContactError, DeviceError, Unsupported

log = logging.getLogger(__name__)

PURPOSE = "events"
DEADLINE = 30.0  # seconds for one device
AT_ONCE = 20
MARK = "esm-"  # how our contexts begin
CANNOT = "%(address)s cannot be asked to send events"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be true of a device: that it sends to this place, by the path that we know or by the new one."""

    place: str
    context: str
    token_hash: str  # of the path that it has; empty: it has none
    new_path: str
    renew: bool = False  # the path that it has is not good any more


@dataclass(frozen=True, slots=True)
class Kept:
    """How it is now."""

    key: str
    is_new: bool
    others: tuple[str, ...]  # to whom else it sends
    tests: bool
    state: Mapping[str, Any] = field(default_factory=dict, repr=False)


async def keep(line: Line, plan: Plan) -> Kept:
    """See to it that a device sends here, once, and that what is left of earlier ones of ours has gone."""
    async with contact.open(line, deadline=DEADLINE) as device:
        sender = _sender(device, line)
        told = await sender.read_subscriptions()
        ours = [one for one in told.subscriptions if is_ours(one, plan.place, plan.context)]
        present = next((one for one in ours if not plan.renew and _is_it(one, plan)), None)
        for one in ours:
            if one is not present:
                await sender.unsubscribe(one.key)
        made = present or await sender.subscribe(f"{plan.place}{plan.new_path}", plan.context)
        others = tuple(address_of(one.destination) for one in told.subscriptions if one not in ours)
        return Kept(made.key, present is None, others, told.tests, dict(device.state))


async def end(line: Line, context_word: str) -> Mapping[str, Any]:
    """Have a device send here no more. Only what is ours by its context goes: names are given anew."""
    async with contact.open(line, deadline=DEADLINE) as device:
        try:
            sender = _sender(device, line)
            told = await sender.read_subscriptions()
        except Unsupported:
            return dict(device.state)
        for one in told.subscriptions:
            if one.context == context_word:
                await sender.unsubscribe(one.key)
        return dict(device.state)


async def test(line: Line) -> Mapping[str, Any]:
    """Have a device send one event."""
    async with contact.open(line, deadline=DEADLINE) as device:
        await _sender(device, line).send_test_event()
        return dict(device.state)


def is_ours(one: Subscription, place: str, context_word: str) -> bool:
    """Say whether we made a subscription: by its context, or because it leads to our own port."""
    if one.context == context_word:
        return True
    return one.context.startswith(MARK) and one.destination.startswith(f"{place}{FOLDER}")


def address_of(destination: str) -> str:
    """Give where a destination is, without its path, which is the secret of whom it belongs to."""
    try:
        found = urlsplit(destination).netloc.rpartition("@")[2]
    except ValueError:
        found = ""
    return found[:253] or "?"


def _is_it(one: Subscription, plan: Plan) -> bool:
    path = path_of(one.destination)
    return bool(plan.token_hash) and one.destination == f"{plan.place}{path}" and hash_of(path) == plan.token_hash


def _sender(device: Driver, line: Line) -> Subscriptions:
    if not isinstance(device, Subscriptions):
        raise Unsupported(CANNOT, address=line.target.address)
    return device


def all_at_once(work: Sequence[Callable[[], Awaitable[Result]]]) -> list[Result | ContactError]:
    """Do this with some devices at once in an event loop of its own; gives what came of each, or its error."""

    async def one(do: Callable[[], Awaitable[Result]]) -> Result | ContactError:
        try:
            return await do()
        except ContactError as error:
            return error
        except Exception as error:  # what is ours must not cost the others their answers
            place = traceback.extract_tb(error.__traceback__)[-1]
            # Its text is left out, because it may quote what we sent.
            log.error("events of a device: %s at %s:%s", type(error).__name__, place.filename, place.lineno)
            return DeviceError(contact.UNEXPECTED, address="", kind=type(error).__name__)

    async def every() -> list[Result | ContactError]:
        return list(await asyncio.gather(*map(one, work)))

    return asyncio.run(every())

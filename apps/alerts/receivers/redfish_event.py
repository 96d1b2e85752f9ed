"""Redfish events: from what was posted to what is kept of it (DSP0266, "Eventing"; DSP2046 Event).

An event becomes variables as a trap has them: each property under its own name, the arguments as ``MessageArgs.1`` and
so on, and two that are derived. ``Subject`` is what it is about: the part that it names, or where it names no part, the
message with its arguments, so that two different problems of one machine stay two. ``State`` is its severity, and
``Recovered`` where a part says that it is well again.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apps.alerts.services.arrivals import Binding
from apps.alerts.services.oids import EVENTS
from apps.alerts.sources import EVENT_SOURCE

SOURCE = EVENT_SOURCE
ALERT_TYPE = "Redfish event"
MOST_EVENTS = 250  # of one message
MOST_ARGUMENTS = 30
KEPT_CHARACTERS = 4096  # of one value
KEPT_OCTETS = 16384  # of one event: what is longer is kept by its variables alone
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # a clock that was never set says something before

_KEY = re.compile(r"([A-Za-z][\w-]*)(?:\.\d+)+\.([\w-]+)", re.ASCII)
_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")
_PROPERTIES = (
    *("EventType", "EventId", "EventTimestamp", "MemberId", "EventGroupId", "MessageId", "Message"),
    *("MessageSeverity", "Severity", "Resolution"),
)
_WELL = "OK"
_NEWS_OF_PARTS = frozenset({"", "Alert", "StatusChange", "Other"})
# What stands under a system, chassis or manager and is no part of it.
_NO_PART = frozenset({"LogServices", "Sessions", "SessionService", "AccountService", "EventService", "TaskService"})
_WHOLES = frozenset({"Systems", "Chassis", "Managers"})
_ROOT = ("redfish", "v1")


class Malformed(ValueError):
    """What was posted is no message of events; the text says what is wrong with it."""


class NotWanted(ValueError):
    """It is a report of measured values, for which nobody asked."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is kept."""

    name: str  # by which definitions recognise it: redfish.ResourceEvent.ResourceStatusChangedCritical
    bindings: tuple[Binding, ...]
    occurred_at: datetime | None
    stored: bytes  # as it came
    identity: bytes  # what tells a repeated one from a new one


@dataclass(frozen=True, slots=True)
class Posted:
    """One message: its events, how many more it had, and the contexts that it names."""

    events: tuple[Event, ...]
    left_out: int
    contexts: frozenset[str]


def understand(body: bytes) -> Posted:
    """Read what was posted; raises Malformed or NotWanted."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("it is not JSON") from error
    if not isinstance(message, dict):
        raise Malformed("it is not a JSON object")
    records = message.get("Events")
    if "MetricReport" in str(message.get("@odata.type")) or (records is None and "MetricValues" in message):
        raise NotWanted
    if not isinstance(records, list) or not records:
        raise Malformed("it has no events")
    known = [record for record in records if isinstance(record, dict)]
    if not known:
        raise Malformed("its events are no objects")
    said = [message.get("Context"), *(record.get("Context") for record in known)]
    contexts = frozenset(one for one in said if isinstance(one, str) and one)
    events = tuple(_event(record) for record in known[:MOST_EVENTS])
    return Posted(events, len(records) - len(events), contexts)


def _event(record: Mapping[str, Any]) -> Event:
    stored = json.dumps(record, sort_keys=True).encode()
    name = name_of(_text(record.get("MessageId")))
    said = {word: text for word in _PROPERTIES if (text := _text(record.get(word)))}
    number, at = said.get("EventId"), said.get("EventTimestamp", "")
    identity = "\0".join((number, at, said.get("MessageId", ""))).encode() if number else stored
    bindings = tuple({"oid": oid, "type": "String", "value": text} for oid, text in _variables(record, said, name))
    kept = stored if len(stored) <= KEPT_OCTETS else b""
    return Event(name, bindings, moment(at), kept, hashlib.blake2b(identity, digest_size=16).digest())


def name_of(key: str) -> str:
    """Give the name of a message without the version of its registry, which says nothing of what happened."""
    found = _KEY.fullmatch(key)
    words = found.groups() if found else tuple(filter(None, (_PLAIN.sub("-", key).strip("-"),)))
    return ".".join((EVENTS, *(word[:100] for word in words)))


def _variables(record: Mapping[str, Any], said: dict[str, str], name: str) -> Iterator[tuple[str, str]]:
    arguments = record.get("MessageArgs")
    listed = [_text(one) for one in arguments[:MOST_ARGUMENTS]] if isinstance(arguments, list) else []
    severity = said.get("MessageSeverity") or said.get("Severity", "")
    origin = _origin(record.get("OriginOfCondition"))
    key = name.partition(".")[2]
    if "Message" not in said:  # the registry has the sentence, and the registry is the device's
        said["Message"] = f"{key or 'Event'}: {', '.join(listed)}" if listed else key or "Event"
    yield from said.items()
    for place, value in enumerate(listed, start=1):
        yield f"MessageArgs.{place}", value
    if origin:
        yield "OriginOfCondition", origin
    part = _is_part(origin)
    yield "Subject", origin if part else " ".join((key or said["Message"], *listed))[:200]
    recovered = severity == _WELL and part and said.get("EventType", "") in _NEWS_OF_PARTS
    yield "State", "Recovered" if recovered else severity


def _origin(value: Any) -> str:
    """Give what it is about: a link, or as the first versions of the schema have it, its path alone."""
    return _text(value.get("@odata.id") if isinstance(value, dict) else value)


def _is_part(origin: str) -> bool:
    """Say whether a path leads to a part of a machine, not to the whole of it or to a list of what happened."""
    words = [word for word in re.split(r"[/#]", origin) if word]
    below = words[2:] if tuple(words[:2]) == _ROOT else words
    return len(below) > 2 and below[0] in _WHOLES and not _NO_PART & set(below)


def moment(text: str) -> datetime | None:
    """Read the device's time; None where it has no clock, or says no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        return None
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        return None
    return found if found >= EARLIEST else None


def _text(value: Any) -> str:
    """Write a value as every database holds it."""
    if value is None or isinstance(value, dict | list):
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    plain = text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:KEPT_CHARACTERS]
    return plain.encode("utf-8", "replace").decode()

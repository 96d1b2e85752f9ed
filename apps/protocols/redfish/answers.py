"""What a Redfish service answers: a resource, or an error in its own words (DSP0266 §8.6, "Error responses")."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.protocols.errors import ContactError, DeviceError, NotNow, Stage, Unreachable, Unsupported

MOST_WORDS = 300
_GONE = frozenset({404, 405, 410, 501})
_BUSY = frozenset({429, 502, 503, 504})
_FOR_NOW = frozenset({409, 423, 500})  # a state that passes, a lock, a mistake of its own that need not come again
_SAID_FOR_NOW = frozenset(
    {"InternalError", "OperationTimeout", "ResourceInStandby", "ResourceInUse", "ServiceShuttingDown"}
    | {"ServiceInUnknownState", "ServiceTemporarilyUnavailable"}
)
_SAID_FOR_EVER = ("AlreadyExists", "Property", "ActionParameter")  # what was sent is wrong itself, whatever the status


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: a JSON object, or nothing in ``data``."""

    status: int
    data: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Refused(DeviceError):
    """The service answered with an HTTP error that no other class tells; ``status`` is its number."""

    def __init__(self, message: str, *, status: int, stage: Stage = Stage.PROTOCOL, **params: object) -> None:
        super().__init__(message, stage=stage, **params)
        self.status = status


class RefusedForNow(Refused, NotNow):
    """It cannot take this at the moment, by its status or by what it says (DSP2065, registry Base)."""


def parse(body: bytes, address: str) -> Mapping[str, Any]:
    """Read an answer's body; an empty one is an empty object. Raises DeviceError for what is no JSON object."""
    if not body.strip():
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):  # recursion: nested deeper than any resource is
        found = None
    if not isinstance(found, dict):
        raise DeviceError("%(address)s answers with something that is no Redfish resource", address=address)
    return found


def message_ids(data: Mapping[str, Any]) -> Iterator[str]:
    """Give the last words of the registry keys of an error: ``SessionLimitExceeded``."""
    for key, _text in _messages(data):
        yield key.rpartition(".")[2]


def words(data: Mapping[str, Any]) -> str:
    """Give what a service says of an error, in one line."""
    texts = [text or key for key, text in _messages(data) if text or key]
    return "; ".join(dict.fromkeys(texts))[:MOST_WORDS]


def asks_for_restart(data: Mapping[str, Any]) -> bool:
    """Say whether what was taken counts only once something has started anew; it stands beside success, too."""
    return "ResetRequired" in message_ids({"error": data} if "error" not in data else data)


def _messages(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    error = data.get("error")
    if not isinstance(error, Mapping):
        return
    told = error.get("@Message.ExtendedInfo")
    further = [told] if isinstance(told, Mapping) else told if isinstance(told, list) else []
    found = [
        (str(one.get("MessageId") or one.get("MessageID") or ""), str(one.get("Message") or ""))
        for one in further[:20]
        if isinstance(one, Mapping)
    ]
    yield from found or [(str(error.get("code") or ""), str(error.get("message") or ""))]


def failure(status: int, said: str, address: str, path: str, keys: Collection[str] = ()) -> ContactError:
    """Say what an HTTP error means; 401 is the caller's, who knows whether the login was accepted before.

    ``keys`` are the last words of what it says by the registries.
    """
    if status == 403:
        return Unsupported("%(address)s does not allow this login to do that: %(words)s", address=address, words=said)
    if status in _GONE:
        return Unsupported("%(address)s has no %(path)s", address=address, path=path)
    if status in _BUSY:
        return Unreachable(
            "%(address)s is too busy to answer (%(status)s)", stage=Stage.PROTOCOL, address=address, status=status
        )
    kind = RefusedForNow if _is_for_now(status, keys) else Refused
    if not said:
        return kind("%(address)s answers with error %(code)s", status=status, address=address, code=status)
    return kind(
        "%(address)s answers with error %(code)s: %(words)s", status=status, address=address, code=status, words=said
    )


def _is_for_now(status: int, keys: Collection[str]) -> bool:
    if any(word in key for key in keys for word in _SAID_FOR_EVER):
        return False
    return status in _FOR_NOW or not _SAID_FOR_NOW.isdisjoint(keys)

"""What a platform event trap says besides its variable: four more, worked out of it whenever it is interpreted.

``Event`` is what happened, a sentence of ours. ``Severity`` is how bad the controller thinks it is, in the words of
alerts; what is over is ``normal``. ``Subject`` is the sensor as its controller knows it, and which of the things is
meant that may hold of it at once. ``Called`` is how the sensor is called where nobody knows its name.
"""

from collections.abc import Sequence
from typing import NamedTuple

from apps.alerts.models import Severity
from apps.alerts.services.arrivals import Binding
from apps.core.phrases import Phrase
from apps.drivers.bmc.words import SENSOR_TYPES, SPECIFIC_CODE, meaning
from apps.drivers.contract import Status
from apps.protocols.ipmi.platform_event import CONTENT, ENTERPRISE, NoPlatformEvent, PlatformEvent, read
from apps.protocols.ipmi.records import THRESHOLD

UNKNOWN_EVENT = "Event %(event)s of type %(type)s"
_BELOW = f"{ENTERPRISE}."
_SEVERITIES = {
    0x02: Severity.INFORMATION,
    0x04: Severity.NORMAL,
    0x08: Severity.WARNING,
    0x10: Severity.CRITICAL,
    0x20: Severity.CRITICAL,
}
_BY_STATUS = {
    Status.CRITICAL: Severity.CRITICAL,
    Status.WARNING: Severity.WARNING,
    Status.NORMAL: Severity.INFORMATION,
}
_SEVERAL_AT_ONCE = frozenset({THRESHOLD, SPECIFIC_CODE})


class Told(NamedTuple):
    """The further variables, and which text among them is a sentence of ours."""

    bindings: tuple[Binding, ...]
    event: Phrase


def event_of(trap_oid: str, bindings: Sequence[Binding]) -> PlatformEvent | None:
    """Read the event in a notification; None where it is none, or cannot be understood."""
    if not trap_oid.startswith(_BELOW):
        return None
    specific = trap_oid.rpartition(".")[2]
    octets = next((each["value"] for each in bindings if each["oid"] == CONTENT), "")
    try:
        return read(int(specific), bytes.fromhex(octets.removeprefix("0x")))
    except (ValueError, NoPlatformEvent):
        return None


def told_by(trap_oid: str, bindings: Sequence[Binding]) -> Told | None:
    """Say what a platform event trap says; None where it is none."""
    event = event_of(trap_oid, bindings)
    if event is None:
        return None
    known = meaning(event.sensor_type, event.event_type, event.offset)
    number, kind = str(event.offset), f"0x{event.event_type:02X}"
    phrase = Phrase(known[0]) if known else Phrase(UNKNOWN_EVENT, {"event": number, "type": kind})
    subject = f"{event.owner:02x}.0.{event.sensor:02x}"
    if event.event_type in _SEVERAL_AT_ONCE:
        subject = f"{subject}.{number}"
    variables = {
        "Event": phrase.text,
        "Severity": _severity(event, known[1] if known else Status.NORMAL).value,
        "Subject": subject,
        "Called": f"{SENSOR_TYPES.get(event.sensor_type, 'Sensor')} {event.sensor}",
    }
    return Told(tuple({"oid": oid, "type": "String", "value": value} for oid, value in variables.items()), phrase)


def _severity(event: PlatformEvent, status: Status) -> Severity:
    if not event.asserted:
        return Severity.NORMAL
    return _SEVERITIES.get(event.severity) or _BY_STATUS.get(status, Severity.INFORMATION)

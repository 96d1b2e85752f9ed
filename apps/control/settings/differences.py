"""What a wish changes on one device: before and after of each setting, and what is unwise about it."""

import ipaddress
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.components.models import ManagementInterface
from apps.control.settings import values
from apps.core.phrases import Phrase
from apps.drivers.contract import Carries, Setting, SettingKind, SettingSection, SettingsReport, SettingValue

MOST_MANAGERS = 3  # report destinations of one component; each is a manager
_CLOSED = (False, "0", "1")  # values of a way in, by which we cannot come in

NEW_ADDRESS = gettext_noop("From then on the portal asks it at %(address)s; it was asked at %(before)s.")
OTHER_ADDRESS = gettext_noop(
    "The portal asks it at %(before)s, which is not the address that it tells (%(told)s); after the change both "
    "%(before)s and %(address)s are tried."
)
BY_DHCP = Phrase(
    gettext_noop(
        "The portal knows a controller by its address: give it a fixed one in the DHCP server before. On a LAN port "
        "that the controller shares with the machine DHCP is not supported."
    )
)
REPORTS_BY_DHCP = Phrase(
    gettext_noop(
        "A controller keeps the MAC address of each alert destination; after a change to DHCP its alerts may be lost. "
        "See afterwards whether they arrive, and set the destinations again if not."
    )
)
NEW_ROUTE = Phrase(
    gettext_noop("With a wrong value the portal cannot reach it any more, and only somebody on site can.")
)
NEW_GATEWAY = Phrase(
    gettext_noop(
        "A controller keeps the MAC address of each alert destination: set the destinations again once the new gateway "
        "is in use."
    )
)
OUTSIDE = gettext_noop("The gateway %(gateway)s is not in the network of %(address)s.")
NEW_PORT = gettext_noop("From then on the portal asks it at port %(port)s.")
WAY_CLOSED = gettext_noop(
    "The portal itself speaks with it in this way (%(what)s): nobody can switch it on again from here."
)
OWN_LOGIN = gettext_noop("The portal signs in with this account. The credential %(credential)s is changed with it.")
OWN_LOGIN_SHARED = gettext_noop(
    "The portal signs in with this account. The credential %(credential)s is also used elsewhere, so it stays as it "
    "is: give this way of managing another one afterwards."
)
OWN_RIGHTS = Phrase(
    gettext_noop("The portal signs in with this account: with less it cannot read everything, or not sign in at all.")
)
TOO_MANY_MANAGERS = gettext_noop(
    "It would report to %(number)s destinations; at most three managers may manage one component."
)
SERIAL_PORT = Phrase(
    gettext_noop("While redirection is on, the controller takes serial port 2 of the machine for itself.")
)


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that changes; of a secret only that it does."""

    name: str
    label: Phrase
    before: SettingValue
    after: SettingValue = field(repr=False)
    before_words: Phrase
    after_words: Phrase
    carries: Carries = Carries.NOTHING
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that whoever applies this has to know; critical: it cuts the portal off."""

    state: str
    text: Phrase


def compare(
    report: SettingsReport, wanted: Mapping[str, object], again: Collection[str] = ()
) -> tuple[list[Change], list[str]]:
    """Give what changes, in the order of the report, and which names this device does not have.

    Those of ``again`` are written although they are the same. Raises ValidationError by name.
    """
    found: list[Change] = []
    faults: dict[str, list[str]] = {}
    known = set()
    for section in report.sections:
        for setting in section.settings:
            if setting.name not in wanted:
                continue
            known.add(setting.name)
            try:
                change = _change(section, setting, wanted[setting.name], setting.name in again)
            except ValidationError as error:
                faults[setting.name] = list(error.messages)
            else:
                if change is not None:
                    found.append(change)
    _check_rows(report, found, faults)
    if faults:
        raise ValidationError(faults)
    return found, [name for name in wanted if name not in known]


def _change(section: SettingSection, setting: Setting, wanted: object, again: bool) -> Change | None:
    after = values.clean(setting, wanted)
    secret = setting.kind is SettingKind.SECRET
    if not secret and not again and after == setting.value:
        return None
    if not setting.writable:
        raise ValidationError(_("This cannot be changed."))
    return Change(
        setting.name,
        values.title(section, setting),
        setting.value,
        after,
        values.words(setting, setting.value),
        values.words(setting, after),
        setting.carries,
        secret,
    )


def _check_rows(report: SettingsReport, found: Sequence[Change], faults: dict[str, list[str]]) -> None:
    """Refuse rights of nobody, alerts to nowhere: what is one of several alike is made by what names it."""
    after = {change.name: change.after for change in found}
    for section in report.sections:
        if not section.key:
            continue
        for setting in section.settings:
            key = f"{section.name}.{setting.row}.{section.key}"
            if setting.name in after and setting.name != key:
                present = values.find(report, key)
                name = after.get(key, present[1].value if present else "")
                if not name:
                    by_address = present is not None and present[1].kind is SettingKind.ADDRESS
                    faults.setdefault(key, [_("Enter an address.") if by_address else _("Enter a name.")])


def cautions(changes: Sequence[Change], report: SettingsReport, interface: ManagementInterface) -> list[Caution]:
    """Give what is unwise about changes, the worst first."""
    found = [
        *_of_network(changes, report, interface),
        *_of_connection(changes, interface),
        *_of_reports(changes, report),
    ]
    unique = list(dict.fromkeys((one.state, str(one.text.dumps())) for one in found))
    order = {"critical": 0, "warning": 1}
    return sorted((Caution(state, Phrase.loads(text)) for state, text in unique), key=lambda one: order[one.state])


def _value(changes: Sequence[Change], report: SettingsReport, name: str) -> SettingValue:
    """Give what a setting will be."""
    for change in changes:
        if change.name == name:
            return change.after
    present = values.find(report, name)
    return present[1].value if present else None


def _of_network(changes: Sequence[Change], report: SettingsReport, interface: ManagementInterface) -> Iterator[Caution]:
    for change in changes:
        if change.name == "network.address":
            told = {"address": str(change.after), "before": interface.address, "told": str(change.before)}
            known = change.before == interface.address
            yield Caution("critical", Phrase(NEW_ADDRESS if known else OTHER_ADDRESS, told))
        elif change.name == "network.source" and change.after == "dhcp":
            yield Caution("critical", BY_DHCP)
            yield Caution("warning", REPORTS_BY_DHCP)
        elif change.carries in (Carries.ROUTE, Carries.ADDRESS):
            yield Caution("warning", NEW_ROUTE)
        if change.name == "network.gateway":
            yield Caution("warning", NEW_GATEWAY)
    if any(change.name.startswith("network.") for change in changes):
        address, mask, gateway = (
            str(_value(changes, report, f"network.{n}") or "") for n in ("address", "mask", "gateway")
        )
        if address and mask and gateway:
            network = ipaddress.ip_network(f"{address}/{mask}", strict=False)
            if ipaddress.ip_address(gateway) not in network:
                yield Caution("warning", Phrase(OUTSIDE, {"gateway": gateway, "address": str(network)}))


def _of_connection(changes: Sequence[Change], interface: ManagementInterface) -> Iterator[Caution]:
    for change in changes:
        match change.carries:
            case Carries.PORT:
                yield Caution("critical", Phrase(NEW_PORT, {"port": str(change.after)}))
            case Carries.WAY if change.after in _CLOSED:
                yield Caution("critical", Phrase(WAY_CLOSED, {"what": change.label}))
            case Carries.LOGIN | Carries.PASSWORD:
                credential = interface.credential
                shared = credential is not None and credential.interfaces.count() > 1
                text = OWN_LOGIN_SHARED if shared else OWN_LOGIN
                yield Caution("critical" if shared else "warning", Phrase(text, {"credential": str(credential)}))
            case Carries.RIGHTS:
                yield Caution("critical", OWN_RIGHTS)


def destinations(report: SettingsReport) -> list[str]:
    """Give the names of the places for an address to which alerts go."""
    return [one.name for one in report if one.name.startswith("destinations.") and one.name.endswith(".address")]


def others(report: SettingsReport, own: Collection[str]) -> list[str]:
    """Give who else is reported to: another portal, which may manage this controller, too."""
    places = set(destinations(report))
    found = {str(one.value) for one in report if one.name in places and one.value}
    receivers = (one for one in report if one.name.startswith("receivers.") and one.name.endswith(".address"))
    found |= {_host(str(one.value)) for one in receivers}
    return sorted(found - set(own))


def _host(place: str) -> str:
    """Give the host of a place with a port; an address of IPv6 has more colons than one."""
    return place.partition(":")[0] if place.count(":") == 1 else place


def usual(report: SettingsReport, own: str) -> dict[str, SettingValue]:
    """Give what the portal wants of a controller so that its alerts arrive and its log has the right time."""
    found: dict[str, SettingValue] = {one.name: True for one in report if one.name in _USUALLY_ON}
    place = place_for(report, own)
    return found if place is None else {**found, place: own}


def place_for(report: SettingsReport, address: str) -> str | None:
    """Give the destination that has this address, else the first empty one; None where all are taken."""
    names = set(destinations(report))
    places = [one for one in report if one.name in names]
    same = [one.name for one in places if one.value == address]
    empty = [one.name for one in places if not one.value]
    return next(iter([*same, *empty]), None)


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One setting as it is, as it came, and as the portal wants it; None: not known, or it does not matter."""

    label: Phrase
    now: Phrase
    came: Phrase | None
    wanted: Phrase | None
    differs: bool  # from what the portal wants


def side_by_side(
    report: SettingsReport, came_with: Mapping[str, SettingValue] | None, wanted: Mapping[str, SettingValue]
) -> Iterator[SideBySide]:
    """Give the settings that are not as they came, or of which the portal wants something."""
    for section in report.sections:
        for one in section.settings:
            known = came_with is not None and one.name in came_with and one.kind is not SettingKind.SECRET
            came = came_with[one.name] if known and came_with is not None else None
            moved = known and came != one.value and one.name != "time.now"
            if not moved and one.name not in wanted:
                continue
            yield SideBySide(
                values.title(section, one),
                values.words(one, one.value),
                values.words(one, came) if known else None,
                values.words(one, wanted[one.name]) if one.name in wanted else None,
                one.name in wanted and wanted[one.name] != one.value,
            )


_USUALLY_ON = frozenset(
    {"time.exact", "time.ntp", "services.snmp", "destinations.pef", "destinations.alerts", "destinations.v1"}
)


def _of_reports(changes: Sequence[Change], report: SettingsReport) -> Iterator[Caution]:
    if any(change.name == "services.sol" and change.after for change in changes):
        yield Caution("warning", SERIAL_PORT)
    names = destinations(report)
    if any(change.name in names for change in changes):
        used = {value for name in names if (value := _value(changes, report, name))}
        if len(used) > MOST_MANAGERS:
            yield Caution("warning", Phrase(TOO_MANY_MANAGERS, {"number": str(len(used))}))

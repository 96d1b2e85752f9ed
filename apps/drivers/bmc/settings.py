"""The settings of a controller that speaks IPMI: what was read, how it is shown, and how a change is written."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from apps.drivers.contract import (
    Carries,
    Choice,
    Setting,
    SettingKind,
    SettingSection,
    SettingsReport,
    SettingValue,
    clock_settings,
    offset_of,
    offset_word,
)
from apps.protocols.errors import ContactError, Unreachable, Unsupported
from apps.protocols.ipmi import IpmiSession
from apps.protocols.ipmi import clock as clocks
from apps.protocols.ipmi import configuration as conf
from apps.protocols.ipmi import users as accounts

UNKNOWN_SETTING = "%(address)s has no setting %(setting)s"
SERIAL_PORT = "While serial over LAN is on, the controller takes serial port 2 of the machine for itself."
LONG_WORD = "Up to 16 bytes work with every program, up to 20 with those that speak IPMI 2.0."
CLOCK_OF_LOG = "By it the controller dates its event log."
AUXILIARY = "Alerts go only where platform event filtering is on and its policy names the destination."

_SOURCES = (Choice("static", "Fixed"), Choice("dhcp", "DHCP"), Choice("bios", "BIOS"), Choice("other", "Other"))
_SOURCE_NUMBERS = {"static": 1, "dhcp": 2, "bios": 3, "other": 4}
_MODES = (Choice("0", "Nobody"), Choice("1", "Only before start"), Choice("2", "Always"), Choice("3", "Shared"))
_PRIVILEGES = (
    Choice("callback", "Callback"),
    Choice("user", "User"),
    Choice("operator", "Operator"),
    Choice("administrator", "Administrator"),
    Choice("none", "No access"),
)
_PRIVILEGE_NUMBERS = {"callback": 1, "user": 2, "operator": 3, "administrator": 4, "none": 15}

_LAN: Sequence[tuple[str, int, Callable[[SettingValue], bytes]]] = (
    ("network.source", conf.SOURCE, lambda value: bytes((_SOURCE_NUMBERS[str(value)],))),
    ("network.mask", conf.MASK, lambda value: conf.address_bytes(str(value))),
    ("network.gateway", conf.GATEWAY, lambda value: conf.address_bytes(str(value))),
    ("network.vlan", conf.VLAN, lambda value: conf.vlan_bytes(int(value or 0))),
    ("network.address", conf.ADDRESS, lambda value: conf.address_bytes(str(value))),
)
"""What each is written by, in the order of writing: a fixed address is refused while the address comes by DHCP."""

Order = tuple[Sequence[str], Callable[[IpmiSession], Awaitable[None]]]


@dataclass(frozen=True, slots=True)
class Told:
    """All that a controller said of its settings; None: it has none."""

    channel: int
    address: str | None = None
    source: int | None = None
    mask: str | None = None
    gateway: str | None = None
    vlan: int | None = None
    community: str | None = None
    access: conf.ChannelAccess | None = None
    sol: bool | None = None
    pef: int | None = None
    destinations: tuple[conf.Destination, ...] = ()
    users: tuple[accounts.Account, ...] = ()
    clock: clocks.Clock | None = None
    asked_at: datetime | None = None  # when it showed that time


async def read(session: IpmiSession) -> Told:
    """Ask for all of it."""
    channel = await conf.read_channel(session)

    async def lan(parameter: int) -> bytes | None:
        return await conf.lan(session, channel, parameter)

    source, community = await lan(conf.SOURCE), await lan(conf.COMMUNITY)
    return Told(
        channel,
        address=conf.address_of(await lan(conf.ADDRESS)),
        source=source[0] & 0x0F if source else None,
        mask=conf.address_of(await lan(conf.MASK)),
        gateway=conf.address_of(await lan(conf.GATEWAY)),
        vlan=conf.vlan_number(await lan(conf.VLAN)),
        community=community.split(b"\x00")[0].decode(errors="replace") if community is not None else None,
        access=await conf.read_access(session, channel),
        sol=await conf.read_sol(session, channel),
        pef=await conf.read_pef(session),
        destinations=tuple(await conf.read_destinations(session, channel)),
        users=tuple(await accounts.read_accounts(session, channel)),
        clock=await clocks.read_clock(session),
        asked_at=datetime.now(UTC),
    )


def report(told: Told, login: str) -> SettingsReport:
    """Show it; ``login`` is the name by which we signed in."""
    sections = (
        SettingSection("network", "Network", tuple(_network(told))),
        SettingSection("time", "Clock", tuple(_clock(told)), hints=(CLOCK_OF_LOG,)),
        SettingSection("services", "Services", tuple(_services(told))),
        SettingSection(
            "destinations",
            "Alert destinations",
            tuple(_destinations(told)),
            "Destination %(row)s",
            hints=(AUXILIARY,) if told.destinations else (),
        ),
        SettingSection("users", "Users", tuple(_users(told, login)), "User %(row)s", key="name"),
    )
    return SettingsReport(tuple(section for section in sections if section.settings), may_restart=True)


def _clock(told: Told) -> Iterator[Setting]:
    found = told.clock
    if found is not None and told.asked_at is not None:
        offset = offset_word(found.ahead) if found.knows_offset else None
        yield from clock_settings(found.at, told.asked_at, offset=offset)


def _network(told: Told) -> Iterator[Setting]:
    word = next((name for name, number in _SOURCE_NUMBERS.items() if number == told.source), None)
    if word is not None:
        choices = tuple(one for one in _SOURCES if one.value in ("static", "dhcp", word))
        yield Setting("network.source", "Address source", SettingKind.CHOICE, word, choices, carries=Carries.ADDRESS)
    if told.address is not None:
        yield Setting(
            "network.address",
            "IP address",
            SettingKind.ADDRESS,
            told.address,
            carries=Carries.ADDRESS,
            individual=True,
        )
    for name, label, value in (("mask", "Subnet mask", told.mask), ("gateway", "Gateway", told.gateway)):
        if value is not None:
            yield Setting(f"network.{name}", label, SettingKind.ADDRESS, value, carries=Carries.ROUTE)
    if told.vlan is not None:
        yield Setting(
            "network.vlan",
            "VLAN",
            SettingKind.NUMBER,
            told.vlan,
            minimum=0,
            maximum=4094,
            hint="0: none",
            carries=Carries.ROUTE,
        )


def _services(told: Told) -> Iterator[Setting]:
    if told.access is not None:
        yield Setting(
            "services.ipmi",
            "Access by IPMI over LAN",
            SettingKind.CHOICE,
            str(told.access.mode),
            _MODES,
            carries=Carries.WAY,
        )
    if told.sol is not None:
        yield Setting("services.sol", "Serial over LAN", SettingKind.SWITCH, told.sol, hint=SERIAL_PORT)


def _destinations(told: Told) -> Iterator[Setting]:
    if told.pef is not None and told.destinations:
        yield Setting("destinations.pef", "Platform event filtering", SettingKind.SWITCH, bool(told.pef & 1))
    if told.access is not None and told.destinations:
        yield Setting("destinations.alerts", "Alerts from this LAN port", SettingKind.SWITCH, told.access.alerts)
    if told.community is not None and told.destinations:
        yield Setting(
            "destinations.community",
            "Community of alerts",
            SettingKind.TEXT,
            told.community,
            longest=conf.LONGEST_COMMUNITY,
        )
    for one in told.destinations:
        row = str(one.number)
        yield Setting(f"destinations.{row}.address", "Address", SettingKind.ADDRESS, one.address or "", row=row)
        yield Setting(
            f"destinations.{row}.acknowledge",
            "Waits for an acknowledgement",
            SettingKind.SWITCH,
            one.acknowledge,
            row=row,
        )


def _users(told: Told, login: str) -> Iterator[Setting]:
    empty_shown = False
    for one in told.users:
        if not one.name and (one.fixed or empty_shown):
            continue  # the nameless one of the standard; of the empty places one is enough to add somebody
        empty_shown = empty_shown or not one.name
        row, own = str(one.number), bool(one.name) and one.name == login
        word = next((name for name, number in _PRIVILEGE_NUMBERS.items() if number == one.privilege), "none")
        yield Setting(
            f"users.{row}.name",
            "Name",
            SettingKind.TEXT,
            one.name,
            longest=16,
            writable=not one.fixed,
            row=row,
            carries=_if(own, Carries.LOGIN),
        )
        rights = _if(own, Carries.RIGHTS)
        yield Setting(f"users.{row}.enabled", "May sign in", SettingKind.SWITCH, one.enabled, row=row, carries=rights)
        yield Setting(
            f"users.{row}.privilege",
            "Privilege",
            SettingKind.CHOICE,
            word,
            _PRIVILEGES,
            row=row,
            carries=rights,
        )
        yield Setting(
            f"users.{row}.password",
            "Password",
            SettingKind.SECRET,
            longest=20,
            hint=LONG_WORD,
            row=row,
            carries=_if(own, Carries.PASSWORD),
        )


def _if(own: bool, carries: Carries) -> Carries:
    return carries if own else Carries.NOTHING


def orders(told: Told, changes: Mapping[str, SettingValue], login: str, address: str) -> list[Order]:
    """Give the orders that write a change, in their order: our own account and the network last."""
    left = dict(changes)
    found = [
        *_clock_orders(told, left),
        *_destination_orders(told, left),
        *_user_orders(told, left, login, own=False),
        *_service_orders(told, left, bool(changes.get("destinations.alerts", told.access and told.access.alerts))),
        *_user_orders(told, left, login, own=True),
        *_network_orders(told, left),
    ]
    if left:
        raise Unsupported(UNKNOWN_SETTING, address=address, setting=next(iter(left)))
    return found


def _clock_orders(told: Told, left: dict[str, SettingValue]) -> Iterator[Order]:
    if told.clock is None:
        return
    ahead = told.clock.ahead
    names = [name for name in ("time.offset", "time.exact") if name in left]
    if "time.offset" in left:
        ahead = offset_of(str(left.pop("time.offset")))
        yield names[:1], lambda session: clocks.set_offset(session, ahead)
    if names:
        # It shows the time of its own zone: when that changes, the time does, too.
        left.pop("time.exact", None)
        yield names[-1:], lambda session: clocks.set_clock(session, datetime.now(UTC), ahead)


def _destination_orders(told: Told, left: dict[str, SettingValue]) -> Iterator[Order]:
    channel = told.channel
    if (name := "destinations.community") in left:
        data = str(left.pop(name)).encode().ljust(conf.LONGEST_COMMUNITY, b"\x00")
        yield (name,), lambda session: conf.set_lan(session, channel, conf.COMMUNITY, data)
    for one in told.destinations:
        yield from _one_destination(channel, one, left)
    if (name := "destinations.alerts") in left and told.access is not None:
        access = replace(told.access, alerts=bool(left.pop(name)))
        yield (name,), lambda session: conf.set_access(session, channel, access)
    if (name := "destinations.pef") in left and told.pef is not None:
        bits = told.pef & ~1 | int(bool(left.pop(name)))
        yield (name,), lambda session: conf.set_pef(session, bits)


def _one_destination(channel: int, one: conf.Destination, left: dict[str, SettingValue]) -> Iterator[Order]:
    if (name := f"destinations.{one.number}.acknowledge") in left:
        kind = conf.destination_kind(one, bool(left.pop(name)))
        yield (name,), lambda session: conf.set_lan(session, channel, conf.DESTINATION_TYPE, kind)
    if (name := f"destinations.{one.number}.address") in left:
        place = conf.destination_address(one, str(left.pop(name)))
        yield (name,), lambda session: conf.set_lan(session, channel, conf.DESTINATION_ADDRESS, place)


def _user_orders(told: Told, left: dict[str, SettingValue], login: str, *, own: bool) -> Iterator[Order]:
    for one in told.users:
        if (one.name == login) is own:
            yield from _one_user(told.channel, one, left)


def _one_user(channel: int, one: accounts.Account, left: dict[str, SettingValue]) -> Iterator[Order]:
    """Name, password, privilege, then let it sign in: an account never stands open half-made."""
    number = one.number
    if (name := f"users.{number}.name") in left:
        text = str(left.pop(name))
        yield (name,), lambda session: accounts.set_name(session, number, text)
    if (name := f"users.{number}.password") in left:
        word = str(left.pop(name))
        yield (name,), lambda session: accounts.set_password(session, number, word)
    privilege, enabled = f"users.{number}.privilege", f"users.{number}.enabled"
    names = [name for name in (privilege, enabled) if name in left]
    if not names:
        return
    switched = enabled in left
    after = replace(
        one,
        privilege=_PRIVILEGE_NUMBERS[str(left.pop(privilege))] if privilege in left else one.privilege,
        enabled=bool(left.pop(enabled)) if switched else one.enabled,
    )
    yield names, lambda session: accounts.set_access(session, channel, after)
    if switched:
        yield (enabled,), lambda session: accounts.set_enabled(session, number, after.enabled)


def _service_orders(told: Told, left: dict[str, SettingValue], alerts: bool) -> Iterator[Order]:
    channel = told.channel
    if (name := "services.sol") in left and told.sol is not None:
        on = bool(left.pop(name))
        yield (name,), lambda session: conf.set_sol(session, channel, on)
    if (name := "services.ipmi") in left and told.access is not None:
        access = replace(told.access, mode=int(str(left.pop(name))), alerts=alerts)
        yield (name,), lambda session: conf.set_access(session, channel, access)


def _network_orders(told: Told, left: dict[str, SettingValue]) -> Iterator[Order]:
    channel, found = told.channel, []
    for name, parameter, encode in _LAN:
        if name in left:
            found.append((name, parameter, encode(left.pop(name))))
    for place, (name, parameter, data) in enumerate(found):
        first, last = place == 0, place == len(found) - 1
        yield (name,), _lan_order(channel, parameter, data, first=first, last=last)


def _lan_order(
    channel: int, parameter: int, data: bytes, *, first: bool, last: bool
) -> Callable[[IpmiSession], Awaitable[None]]:
    async def order(session: IpmiSession) -> None:
        if first:
            await conf.begin_lan(session, channel)
        try:
            await conf.set_lan(session, channel, parameter, data)
        except ContactError as error:
            # Silence says nothing: what may have been taken is made to count, what was refused is taken back.
            await conf.end_lan(session, channel, keep=isinstance(error, Unreachable))
            raise
        if last:
            await conf.end_lan(session, channel)

    return order

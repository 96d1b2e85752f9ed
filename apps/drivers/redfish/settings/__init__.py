"""The settings of a controller in the words of Redfish: what was read, how it is shown, how a change is written."""

from collections.abc import Mapping, Sequence

from apps.drivers.contract import SettingSection, SettingsReport, SettingValue
from apps.drivers.redfish.settings import clock, destinations, network, services, users
from apps.drivers.redfish.settings.destinations import Subscriptions, is_by_snmp
from apps.drivers.redfish.settings.told import Destinations, Dialect, Order, Told, version
from apps.drivers.redfish.values import Resource, link, nested, text, words
from apps.protocols.errors import Unsupported

__all__ = [
    "Destinations",
    "Dialect",
    "Order",
    "Subscriptions",
    "Told",
    "is_by_snmp",
    "orders",
    "report",
    "reset_target",
    "restart_target",
    "test_target",
]

UNKNOWN_SETTING = "%(address)s has no setting %(setting)s"
SUBSCRIBED = "Whoever takes events has subscribed to them: this portal does so by itself where events are switched on."
_TEST = ".SendSNMPTestAlert"
_RESET, _RESTART = "#Manager.ResetToDefaults", "#Manager.Reset"
_RESETS: Sequence[str] = ("ResetAll", "PreserveNetworkAndUsers", "PreserveNetwork")
_RESTARTS: Sequence[str] = ("GracefulRestart", "ForceRestart")


def report(told: Told, login: str) -> SettingsReport:
    """Show what was read; ``login`` is the name by which we signed in."""
    sections = (
        SettingSection("network", "Network", tuple(network.settings(told.port))),
        SettingSection("time", "Clock", tuple(clock.settings(told))),
        SettingSection("services", "Services", tuple(services.settings(told.services))),
        SettingSection(
            "destinations",
            "Alert destinations",
            tuple(destinations.settings(told)),
            "Destination %(row)s",
            key="address",
            new_label="New destination",
        ),
        SettingSection(
            "receivers",
            "Receivers of events",
            tuple(destinations.receivers(told)),
            "Receiver %(row)s",
            hints=(SUBSCRIBED,),
        ),
        SettingSection(
            "users", "Users", tuple(users.settings(told, login)), "User %(row)s", key="name", new_label="New user"
        ),
    )
    return SettingsReport(
        tuple(section for section in sections if section.settings),
        may_reset=reset_target(told.manager) is not None,
        may_restart=restart_target(told.manager) is not None,
        awaits_restart=told.awaits_restart,
    )


def reset_target(manager: Resource) -> tuple[str, str] | None:
    """Give where one orders the reset to defaults, and its kind; None where it is not offered."""
    return _action(manager, _RESET, _RESETS)


def restart_target(manager: Resource) -> tuple[str, str] | None:
    """Give where one orders the controller to start anew, and its kind; None where it is not offered."""
    return _action(manager, _RESTART, _RESTARTS)


def test_target(told: Told) -> str | None:
    """Give where one orders a test of its traps, by the maker's own word; None where it is not offered."""
    actions = nested(told.own_traps, "Actions")
    name = next((name for name in actions if name.endswith(_TEST)), "")
    return text(nested(actions, name), "target")


def _action(manager: Resource, name: str, kinds: Sequence[str]) -> tuple[str, str] | None:
    action = nested(manager, "Actions", name)
    target = text(action, "target")
    offered = words(action, "ResetType@Redfish.AllowableValues") or kinds[:1]
    kind = next((one for one in kinds if one in offered), None)
    return (target, kind) if target and kind else None


def orders(told: Told, changes: Mapping[str, SettingValue], login: str, address: str) -> list[Order]:
    """Give the requests that write a change, one for each resource: our own account, services and network last."""
    left = dict(changes)
    found = list(clock.orders(told, left))
    found += destinations.orders(told, left)
    found += users.orders(told, left, login, own=False)
    found += users.orders(told, left, login, own=True)
    names, body = services.change(left)
    more_names, more_body = clock.services_change(left)
    for source, about, change in (
        (told.services, [*names, *more_names], {**body, **more_body}),
        (told.port, *network.change(told.port, left)),
    ):
        if about:
            found.append(Order(about, "PATCH", str(link(source)), change, version(source)))
    if left:
        raise Unsupported(UNKNOWN_SETTING, address=address, setting=next(iter(left)))
    return found

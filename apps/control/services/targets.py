"""Which way of managing an order takes to a component, and whether there is one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Case, F, Q, QuerySet, When
from django.utils.translation import ngettext

from apps.components import ownership
from apps.components.models import Component, InventoryItem, ManagementInterface
from apps.control import operations
from apps.control.operations import Operation
from apps.control.shutting_down import Way, in_order
from apps.core.errors import Conflict
from apps.core.phrases import Phrase
from apps.drivers import registry
from apps.drivers.contract import PORT_OF, Capability, PowerAction, ShutsDownBy
from apps.protocols.wake_on_lan import BadAddress, magic_packet

BY_THE_SYSTEM = frozenset({PowerAction.SHUTDOWN, PowerAction.REBOOT})
MAC_ADDRESS = "MAC address"  # what drivers call it among the details of a part
ADDRESSES_AT_MOST = 16  # of one component


def expect(components: Collection[Component], number: int | None) -> None:
    """Raise Conflict unless they are as many as somebody saw; None: he did not count them."""
    if number is not None and number != len(components):
        raise Conflict(
            ngettext(
                "It is %(number)d component, not %(expected)d; nothing was begun.",
                "They are %(number)d components, not %(expected)d; nothing was begun.",
                len(components),
            )
            % {"number": len(components), "expected": number}
        )


def ways(
    components: Collection[int], operation: Operation, arguments: Mapping[str, Any] | None = None
) -> dict[int, int | None]:
    """Give for each component that can be ordered this the interface that is used, by their ids.

    It is an enabled one whose driver has the capability, and whose device offers the action as far as it told: the
    first of those that answered last. A shutdown goes to agents in the operating system first. Waking goes past all
    interfaces: there it is the one by which one sees whether the machine is awake, None where there is none.
    What only the manager of a controller orders, is not ordered where that is another one.
    """
    elsewhere = refused(components, operation, arguments)
    components = [pk for pk in components if pk not in elsewhere]
    if operation.name == operations.POWER and arguments:
        return dict(_switching(components, PowerAction(arguments["action"])))
    if operation.name == operations.WAKE:
        able = mac_addresses(components).keys()
        seeing = {**_first(able, None), **_first(able, Capability.POWER)}
        return {pk: seeing.get(pk) for pk in able}
    return dict(_first(components, operation.capability))


def refused(
    components: Collection[int], operation: Operation, arguments: Mapping[str, Any] | None = None
) -> dict[int, Phrase]:
    """Give why this is not ordered of those (by id) whose controller another manager manages."""
    if not operation.by_manager(arguments or {}):
        return {}
    return ownership.refusals(components, ownership.CONTROLLER)


def _switching(components: Iterable[int], action: PowerAction) -> dict[int, int]:
    specs = registry.specs()
    gently = action in BY_THE_SYSTEM
    found: dict[int, list[Way]] = defaultdict(list)
    for pk, component, driver, actions, trust in _able(components, Capability.POWER):
        if actions is None or action.value in actions:
            by = specs[driver].shuts_down_by if gently else ShutsDownBy.CONTROLLER
            found[component].append(Way(pk, by, trust))
    return {component: in_order(ways)[0].interface for component, ways in found.items()}


def _first(components: Iterable[int], capability: Capability | None) -> dict[int, int]:
    found: dict[int, tuple[int, int]] = {}
    for pk, component, _driver, _actions, trust in _able(components, capability):
        found[component] = min(found.get(component, (trust, pk)), (trust, pk))
    return {component: pk for component, (_trust, pk) in found.items()}


def _able(components: Iterable[int], capability: Capability | None) -> QuerySet[Any, Any]:
    """Give the enabled interfaces that have a capability: id, component, driver, power actions, how far it is trusted.

    0 answered last, 1 was never asked, 2 did not answer, 3 is asked no more, because a login was refused.
    """
    of_credential = F("credential__version")
    latched = Q(credential__latched_version=of_credential) | Q(refused_version=of_credential)
    rows = ManagementInterface.objects.filter(
        component__in=list(components), enabled=True, driver__in=drivers_with(capability)
    ).annotate(
        trust=Case(
            When(latched, then=3), When(~Q(last_error_code=""), then=2), When(last_answer_at=None, then=1), default=0
        )
    )
    return rows.order_by("pk").values_list("pk", "component", "driver", "power_actions", "trust")


def drivers_with(capability: Capability | None) -> list[str]:
    """Give the names of the drivers that have a capability, or of all."""
    return [name for name, spec in registry.specs().items() if capability is None or capability in spec.capabilities]


def mac_addresses(components: Collection[int]) -> dict[int, list[str]]:
    """Give the MAC addresses by which components may be woken, as devices told them; without those that know none.

    Nobody is woken by a port of his management controller.
    """
    found: dict[int, dict[str, None]] = {}
    told = ManagementInterface.objects.filter(component__in=list(components)).order_by("pk")
    for component, identity in told.values_list("component", "identity"):
        _add(found, component, identity.get("mac_addresses") or () if isinstance(identity, dict) else ())
    listed = InventoryItem.objects.filter(interface__component__in=list(components), kind="network").order_by("pk")
    for component, details in listed.values_list("interface__component", "details"):
        if not details.get(PORT_OF):
            _add(found, component, (details.get(MAC_ADDRESS),))
    return {component: list(addresses)[:ADDRESSES_AT_MOST] for component, addresses in found.items() if addresses}


def _add(found: dict[int, dict[str, None]], component: int, addresses: Iterable[object]) -> None:
    for address in addresses:
        if isinstance(address, str) and _is_real(address):
            found.setdefault(component, {})[address.lower()] = None


def _is_real(address: str) -> bool:
    """Say whether somebody may listen to it: not all zeros or ones, and no group address."""
    try:
        packet = magic_packet(address)
    except BadAddress:
        return False
    mac = packet[6:12]
    return any(mac) and not mac[0] & 1


def able(components: Sequence[Component], operation: Operation, arguments: Mapping[str, Any] | None = None) -> set[int]:
    """Give the ids of those that can be ordered this."""
    return set(ways([component.pk for component in components], operation, arguments))

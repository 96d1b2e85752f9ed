"""What is set of a component, in one place, with the ways to the forms: what it is called, how it is managed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.components import credential_kinds, ownership
from apps.components.models import Component, Credential, ManagementInterface
from apps.components.pages.look import Look
from apps.components.services.needs import Lack, lacks, port_of
from apps.core import scoping
from apps.core.forms import UNSEEN
from apps.drivers import registry
from apps.groups.models import Group


@dataclass(frozen=True, slots=True)
class InterfaceSettings:
    """One way of managing as it is set up; nothing secret is in it."""

    row: ManagementInterface
    label: str
    credential_kind: Promise | str
    may_open_credential: bool
    credential: Promise | str
    parameters: Sequence[tuple[str, str]]
    lacks: Sequence[Lack]
    port: str  # what a firewall between has to let through


def general(look: Look) -> list[tuple[str, Any]]:
    """Give what somebody entered; also what is empty, so that it can be seen that it is."""
    component = look.component
    tree = Group.objects.visible_to(look.request.user).tree()
    watched = _("not managed") if component.unmanaged else _("suspended") if component.suspended else _("watched")
    return [
        (_("Name"), component.name),
        (_("Alias"), component.alias),
        (_("Type"), component.get_category_display()),
        (_("Group"), tree.path_name(component.group_id)),
        (_("Hardware UUID"), component.uuid),
        (_("Serial number"), component.serial_number),
        (_("Further alert addresses"), ", ".join(component.alert_addresses)),
        *((_(one.label), _owner(component, one.name)) for one in _functions(look)),
        (_("Monitoring"), watched),
        (_("Registered"), component.created_at),
    ]


def _functions(look: Look) -> list[ownership.Function]:
    """Give what one manager alone has of the component: by its ways of managing, or because another one has it."""
    of_drivers = {one.name for row in look.interfaces for one in ownership.of_driver(row.driver)}
    wanted = of_drivers | look.component.managed_elsewhere.keys()
    return [one for name, one in ownership.functions.items() if name in wanted]


def _owner(component: Component, name: str) -> str:
    return str(ownership.told(component, name) or _("managed by this portal"))


def managers_of_interfaces(look: Look) -> dict[int, list[str]]:
    """Give for the cards of the ways of managing what another manager has."""
    found: dict[int, list[str]] = {}
    for row in look.interfaces:
        for one in ownership.of_driver(row.driver):
            if (told := ownership.told(look.component, one.name)) is not None:
                found.setdefault(row.pk, []).append(str(told))
    return found


def managed_by(look: Look) -> list[InterfaceSettings]:
    """Give the ways of managing with address, credential and parameters."""
    specs = registry.specs()
    may = look.may("credentials")
    found = []
    for row in look.interfaces:
        spec = specs.get(row.driver)
        kind = credential_kinds.KINDS.get(row.credential.kind) if row.credential else None
        labels = {one.name: _(one.label) for one in spec.parameters} if spec else {}
        found.append(
            InterfaceSettings(
                row,
                _(spec.label) if spec else row.driver,
                kind.label if kind else "",
                may and row.credential is not None and _sees(row.credential, look),
                _name_of(row, look),
                [(labels.get(name, name), _written(value)) for name, value in row.parameters.items()],
                lacks(row, spec),
                port_of(spec, row.port) if spec else "",
            )
        )
    return found


def _sees(credential: Credential, look: Look) -> bool:
    return scoping.may(look.request.user, "view", credential.group_id)


def _name_of(row: ManagementInterface, look: Look) -> Promise | str:
    """Name the credential; not one of a group that the reader may not see."""
    if row.credential is None:
        return ""
    return row.credential.name if _sees(row.credential, look) else UNSEEN


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return str(value)

"""What somebody wants to register or change, and the check of every value in it before anything is written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.components import addresses, driver_parameters
from apps.components.models import Category, Component, Credential, ManagementInterface
from apps.components.services.machines import is_real_uuid
from apps.core.actors import Actor
from apps.drivers.contract import DriverSpec
from apps.groups.models import Group

MOST_INTERFACES = 20
MOST_ALERT_ADDRESSES = 50


@dataclass(frozen=True, slots=True)
class NewInterface:
    """One way of managing as somebody wants it; with an id it replaces what that interface says now."""

    driver: str
    address: str
    port: int | None = None
    credential_id: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    id: int | None = None

    @property
    def place(self) -> tuple[str, str, int]:
        """Give what no other interface may have too."""
        return self.driver, self.address, self.port or 0


@dataclass(frozen=True, slots=True)
class NewComponent:
    """One component as somebody wants it registered; only the name is needed."""

    name: str
    alias: str = ""
    category: str | None = None
    group: Group | None = None
    parent: Component | None = None
    slot: str = ""
    uuid: UUID | None = None
    serial_number: str = ""
    manufacturer: str = ""
    model: str = ""
    alert_addresses: Sequence[str] = ()
    interfaces: Sequence[NewInterface] = ()
    unmanaged: bool = False
    id: int | None = None  # of a component that is there already and asks to be counted anew


def default_category(interfaces: Sequence[NewInterface]) -> str:
    """Give the category of the first driver, server without one."""
    specs = driver_parameters.offered()
    for interface in interfaces:
        if interface.driver in specs:
            return specs[interface.driver].category.value
    return Category.SERVER.value


def clean_uuid(value: UUID | None) -> UUID | None:
    """Refuse a UUID that identifies nothing; raises ValidationError."""
    if value is not None and not is_real_uuid(value):
        raise ValidationError(
            {"uuid": [_("A hardware UUID of only zeros or only Fs identifies no machine: correct it in the firmware.")]}
        )
    return value


def clean_alert_addresses(given: Sequence[str]) -> list[str]:
    """Give the addresses that alerts may come from, each once; raises ValidationError on ``alert_addresses``."""
    try:
        cleaned = list(dict.fromkeys(addresses.clean_address(address) for address in given))
    except ValidationError as error:
        raise ValidationError({"alert_addresses": error.messages}) from error
    if len(cleaned) > MOST_ALERT_ADDRESSES:
        raise ValidationError({"alert_addresses": [_("Enter at most %(count)s.") % {"count": MOST_ALERT_ADDRESSES}]})
    return cleaned


def clean_interfaces(
    given: Sequence[NewInterface], actor: Actor, present: Mapping[int, ManagementInterface] | None = None
) -> list[NewInterface]:
    """Check a set of interfaces and write each in its one form; raises ValidationError on ``interfaces``.

    A credential that comes to a new address must be one that the actor may use: else whoever may change an address
    could have another group's login sent to a machine of his own.
    """
    if len(given) > MOST_INTERFACES:
        raise ValidationError({"interfaces": [_("Enter at most %(count)s.") % {"count": MOST_INTERFACES}]})
    wanted = {one.credential_id for one in given if one.credential_id is not None}
    usable = Credential.objects.filter(pk__in=wanted)
    if actor.user is not None:
        usable = usable.visible_to(actor.user, "components")
    credentials = {credential.pk: credential for credential in usable}
    wrong: list[str] = []
    cleaned: list[NewInterface] = []
    for number, one in enumerate(given, start=1):
        try:
            cleaned.append(_clean_interface(one, credentials, present or {}))
        except ValidationError as error:
            wrong += [_("No. %(number)s: %(problem)s") % {"number": number, "problem": text} for text in error.messages]
    wrong += _repeated(cleaned)
    if wrong:
        raise ValidationError({"interfaces": wrong})
    return cleaned


def _repeated(cleaned: Sequence[NewInterface]) -> list[str]:
    wrong = [
        _("%(address)s is given twice for the same way of managing.") % {"address": address}
        for (_driver, address, _port), times in Counter(one.place for one in cleaned).items()
        if times > 1
    ]
    twice = [pk for pk, times in Counter(one.id for one in cleaned if one.id is not None).items() if times > 1]
    return wrong + [_("The interface %(id)s is given twice.") % {"id": pk} for pk in twice]


def _clean_interface(
    one: NewInterface, credentials: Mapping[int, Credential], present: Mapping[int, ManagementInterface]
) -> NewInterface:
    before = present.get(one.id) if one.id is not None else None
    if one.id is not None and before is None:
        raise ValidationError(_("This component has no interface %(id)s.") % {"id": one.id})
    spec = driver_parameters.offered().get(one.driver)
    if spec is None:
        names = ", ".join(driver_parameters.offered())
        raise ValidationError(_("Choose one of the drivers: %(names)s.") % {"names": names})
    cleaned = replace(
        one,
        address=addresses.clean_host(one.address),
        port=_clean_port(one.port, spec),
        parameters=driver_parameters.clean(spec, one.parameters),
    )
    if cleaned.credential_id is not None:
        _check_credential(cleaned, spec, credentials.get(cleaned.credential_id), before)
    return cleaned


def _clean_port(port: int | None, spec: DriverSpec) -> int | None:
    if port is None or spec.default_port is None:
        return spec.default_port
    if not 1 <= port <= 65535:
        raise ValidationError(_("Enter a port from 1 to 65535."))
    return port


def _check_credential(
    one: NewInterface, spec: DriverSpec, credential: Credential | None, before: ManagementInterface | None
) -> None:
    same = before is not None and (before.credential_id, before.driver, before.address, before.port) == (
        one.credential_id,
        *(one.driver, one.address, one.port),
    )
    if same:
        return
    if credential is None:
        raise ValidationError(_("There is no credential %(id)s that you may use.") % {"id": one.credential_id})
    if credential.kind not in spec.credential_kinds:
        kinds = ", ".join(spec.credential_kinds)
        if not kinds:
            raise ValidationError(_("%(driver)s needs no credential.") % {"driver": spec.label})
        raise ValidationError(
            _("%(driver)s needs a credential of the kind %(kinds)s.") % {"driver": spec.label, "kinds": kinds}
        )

"""What somebody wants to register or change, and the check of every value in it before anything is written."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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

    def values(self) -> dict[str, Any]:
        """Give the fields by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

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
    managed_elsewhere: Mapping[str, str] = field(default_factory=dict)
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
    credentials = usable_credentials([one.credential_id for one in given], actor)
    wrong: list[str] = []
    cleaned: list[NewInterface] = []
    for number, one in enumerate(given, start=1):
        values, faults = clean_interface(one.values(), credentials, present or {})
        wrong += [told(number, text) for texts in faults.values() for text in texts]
        if not faults:
            cleaned.append(NewInterface(**values))
    wrong += _repeated(cleaned)
    if wrong:
        raise ValidationError({"interfaces": wrong})
    return cleaned


def told(number: int, problem: str, field: str = "") -> str:
    """Give a fault of one interface of several, and of which of its fields where that helps."""
    if not field:
        return _("No. %(number)s: %(problem)s") % {"number": number, "problem": problem}
    return _("No. %(number)s: %(field)s: %(problem)s") % {"number": number, "field": field, "problem": problem}


def usable_credentials(ids: Iterable[int | None], actor: Actor) -> dict[int, Credential]:
    """Give those of these credentials that the actor may use, by their ids."""
    usable = Credential.objects.filter(pk__in={pk for pk in ids if pk is not None})
    if actor.user is not None:
        usable = usable.visible_to(actor.user, "components")
    return {credential.pk: credential for credential in usable}


def _repeated(cleaned: Sequence[NewInterface]) -> list[str]:
    wrong = [
        _("%(address)s is given twice for the same way of managing.") % {"address": address}
        for (_driver, address, _port), times in Counter(one.place for one in cleaned).items()
        if times > 1
    ]
    twice = [pk for pk, times in Counter(one.id for one in cleaned if one.id is not None).items() if times > 1]
    return wrong + [_("The interface %(id)s is given twice.") % {"id": pk} for pk in twice]


def clean_interface(
    sent: Mapping[str, Any], credentials: Mapping[int, Credential], present: Mapping[int, ManagementInterface]
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Check those fields of an interface that are given; gives their cleaned values, and all faults by field."""
    values, faults = dict(sent), dict[str, list[str]]()

    def attempt(field: str, clean: Callable[[], Any]) -> None:
        try:
            values[field] = clean()
        except ValidationError as error:
            faults.setdefault(field, []).extend(error.messages)

    before = present.get(sent["id"]) if sent.get("id") is not None else None
    if sent.get("id") is not None and before is None:
        faults["id"] = [_("This component has no interface %(id)s.") % {"id": sent["id"]}]
    spec = driver_parameters.offered().get(sent.get("driver", ""))
    if "driver" in sent and spec is None:
        names = ", ".join(driver_parameters.offered())
        faults["driver"] = [_("Choose one of the drivers: %(names)s.") % {"names": names}]
    if "address" in sent:
        attempt("address", lambda: addresses.clean_host(sent["address"]))
    if spec is not None and "port" in sent:
        attempt("port", lambda: _clean_port(sent["port"], spec))
    if spec is not None and "parameters" in sent:
        attempt("parameters", lambda: driver_parameters.clean(spec, sent["parameters"]))
    if sent.get("credential_id") is not None:
        attempt("credential_id", lambda: _clean_credential(values, spec, credentials, before))
    return values, faults


def _clean_port(port: int | None, spec: DriverSpec) -> int | None:
    if port is None or spec.default_port is None:
        return spec.default_port
    if not 1 <= port <= 65535:
        raise ValidationError(_("Enter a port from 1 to 65535."))
    return port


def _clean_credential(
    one: Mapping[str, Any],
    spec: DriverSpec | None,
    credentials: Mapping[int, Credential],
    before: ManagementInterface | None,
) -> int:
    wanted: int = one["credential_id"]
    unchanged = ("credential_id", "driver", "address", "port")
    if before is not None and all(getattr(before, name) == one.get(name, ...) for name in unchanged):
        return wanted
    credential = credentials.get(wanted)
    if credential is None:
        raise ValidationError(_("There is no credential %(id)s that you may use.") % {"id": wanted})
    if spec is not None and credential.kind not in spec.credential_kinds:
        kinds = ", ".join(spec.credential_kinds)
        if not kinds:
            raise ValidationError(_("%(driver)s needs no credential.") % {"driver": spec.label})
        raise ValidationError(
            _("%(driver)s needs a credential of the kind %(kinds)s.") % {"driver": spec.label, "kinds": kinds}
        )
    return wanted

"""What a way of managing needs, and what of it is missing: said where it is missing, with the way to mend it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.components import credential_kinds, extensions
from apps.components.models import ManagementInterface
from apps.core import scoping
from apps.drivers.contract import DriverSpec

WAYS, CREDENTIAL = "ways", "credential"  # where it is mended: the form of the component, the page of the credential
RIGHTS = ("check", "components", "credentials")  # what acts on a component here, in the order of their use


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that is missing, and what to do; ``place`` is where, and ``permission`` what whoever does it holds."""

    sentence: str
    remedy: str
    place: str = ""
    permission: str = ""

    @property
    def right(self) -> Promise | str:
        """Name the permission."""
        return scoping.PERMISSIONS.get(self.permission, "")


def kinds_of(spec: DriverSpec) -> str:
    """Name the kinds of credential that fit."""
    labels = [credential_kinds.KINDS[kind].label for kind in spec.credential_kinds if kind in credential_kinds.KINDS]
    return _(" or ").join(map(str, labels))


def port_of(spec: DriverSpec, port: int | None = None) -> str:
    """Name the port that a firewall between has to let through, as far as there is one."""
    number = port or spec.default_port
    if spec.transport == "icmp":
        return "ICMP"
    return f"{spec.transport.upper()} {number}" if number else ""


def lacks(row: ManagementInterface, spec: DriverSpec | None) -> list[Lack]:
    """Give what one way of managing lacks to work at all."""
    if spec is None:
        sentence = _("This portal has no driver of this kind.")
        return [Lack(sentence, _("Choose another way of managing."), WAYS, "components")]
    credential = row.credential
    found = []
    if spec.credential_kinds and credential is None:
        sentence = _("A credential is missing: %(kinds)s.") % {"kinds": kinds_of(spec)}
        found.append(Lack(sentence, _("Choose one, or enter a new one."), WAYS, "components"))
    elif credential is not None and credential.kind not in spec.credential_kinds:
        sentence = _("The credential %(name)s is of a kind that does not fit.") % {"name": credential.name}
        remedy = _("Choose one of this kind: %(kinds)s.") % {"kinds": kinds_of(spec) or _("none")}
        found.append(Lack(sentence, remedy, WAYS, "components"))
    elif credential is not None and (credential.is_latched or row.refused_version == credential.version):
        sentence = _("The credential %(name)s was refused, and is not offered again.") % {"name": credential.name}
        remedy = _("Correct it, or correct the account on the device and check the connection.")
        found.append(Lack(sentence, remedy, CREDENTIAL, "credentials"))
    for others in extensions.needs:
        found += others(row, spec)
    return found


def missing_rights(user: object, group_id: int) -> Sequence[Promise | str]:
    """Name the rights that somebody would need in a group to act on its components, and does not hold."""
    return [scoping.PERMISSIONS[word] for word in RIGHTS if not scoping.may(user, word, group_id)]

"""The verbs of credentials: create, change, remove. A change makes a new version and opens every latch."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.components import credential_kinds
from apps.components.models import Component, Credential, CredentialVersion, ManagementInterface
from apps.core import audit
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.scoping import EVERYTHING, scope_of
from apps.core.writes import turn
from apps.groups.models import Group

SHOWN = 10


def create(name: str, kind: str, group: Group, fields: object, actor: Actor) -> Credential:
    """Keep a new credential; raises ValidationError, which never quotes a field's value."""
    known = credential_kinds.KINDS.get(kind)
    if known is None:
        choices = ", ".join(credential_kinds.KINDS)
        raise ValidationError({"kind": [_("Choose one of: %(choices)s.") % {"choices": choices}]})
    cleaned = credential_kinds.clean(known, fields)
    credential = Credential(name=name.strip(), kind=kind, group=group)
    with turn():
        credential.full_clean()
        credential.save()
        CredentialVersion.objects.create(credential=credential, number=1, fields=cleaned)
        after = {"name": credential.name, "kind": kind, "group": group.pk, **_changed(cleaned)}
        audit.record(actor, "credential.create", credential, after=after)
    return credential


def change(
    credential: Credential,
    actor: Actor,
    *,
    name: str | None = None,
    group: Group | None = None,
    fields: object | None = None,
) -> Credential:
    """Change a credential; what is None stays, and so do the fields that are not given. Raises ValidationError.

    Other fields make a new version: it is offered again where the old one was refused, at once.
    """
    with turn():
        _lock_users(credential)
        credential = Credential.objects.select_for_update().get(pk=credential.pk)
        before, former = {"name": credential.name, "group": credential.group_id}, credential.group_id
        if name is not None:
            credential.name = name.strip()
        if group is not None:
            credential.group = group
        changed: list[str] = []
        if fields is not None:
            changed = _new_version(credential, fields)
        credential.full_clean()
        credential.save()
        after = {"name": credential.name, "group": credential.group_id, **_changed(changed)}
        if changed or before != after:
            audit.record(actor, "credential.change", credential, before=before, after=after, former_group=former)
    return credential


def _lock_users(credential: Credential) -> None:
    """Lock the components first, as whoever notes a contact does, so that the two never wait for each other."""
    users = Component.objects.filter(pk__in=credential.interfaces.values("component"))
    list(users.select_for_update().order_by("pk").values_list("pk"))


def _new_version(credential: Credential, given: object) -> list[str]:
    """Store a new version if anything differs; gives the names of the fields that do. Older versions are forgotten."""
    present = credential.versions.get(number=credential.version)
    cleaned = credential_kinds.clean(credential_kinds.KINDS[credential.kind], given, present.fields)
    changed = [name for name, value in cleaned.items() if present.fields.get(name) != value]
    if not changed:
        return []
    now = timezone.now()
    credential.version += 1
    credential.latched_version = None
    credential.changed_at = now
    CredentialVersion.objects.create(credential=credential, number=credential.version, fields=cleaned)
    credential.versions.exclude(number=credential.version).delete()
    credential.interfaces.update(
        refused_version=None, refused_at=None, failures=0, next_poll_at=now, next_inventory_at=now
    )
    return changed


def remove(credential: Credential, actor: Actor) -> None:
    """Forget a credential; raises Conflict naming the interfaces that use it."""
    with turn():
        credential = Credential.objects.select_for_update().get(pk=credential.pk)
        users = credential.interfaces.select_related("component").order_by("component__name", "pk")
        if users:
            raise Conflict(_sentence(list(users), actor))
        before = {"name": credential.name, "kind": credential.kind, "group": credential.group_id}
        audit.record(actor, "credential.remove", credential, before=before)
        credential.delete()


def _sentence(users: list[ManagementInterface], actor: Actor) -> str:
    """Name the users that the actor may see and count the others."""
    scope = EVERYTHING if actor.user is None else scope_of(actor.user)
    seen = [f"{user.component} ({user})" for user in users if user.component.group_id in scope]
    hidden = len(users) - len(seen[:SHOWN])
    names = ", ".join(seen[:SHOWN])
    if not hidden:
        return _("The credential is used by %(names)s.") % {"names": names}
    if not names:
        return _("The credential is used by %(count)s interfaces that you may not see.") % {"count": hidden}
    return _("The credential is used by %(names)s and %(count)s more.") % {"names": names, "count": hidden}


def _changed(names: Mapping[str, Any] | list[str]) -> dict[str, str]:
    return {f"fields.{name}": audit.CHANGED for name in names}

"""Makes and changes roles, and grants them; the portal never loses its last administrator."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.access.models import HOLDERS, Grant, Role
from apps.accounts.models import DirectoryGroup, Team, User
from apps.accounts.services import users
from apps.core import audit, scoping
from apps.core.actors import COMMAND, Actor
from apps.core.writes import turn
from apps.groups.models import Group

ADMINISTRATOR = "administrator"


def create_role(name: str, permissions: Sequence[str], actor: Actor) -> Role:
    """Make a role; raises ValidationError."""
    role = Role(name=name.strip(), permissions=_ordered(permissions))
    role.full_clean()
    with turn():
        role.save()
        audit.record(actor, "role.create", role, after={"permissions": role.permissions})
    return role


def change_role(role: Role, actor: Actor, *, name: str | None = None, permissions: Sequence[str] | None = None) -> Role:
    """Change a role of one's own making, for all who hold it; raises ValidationError."""
    _refuse_built_in(role)
    with turn(), keeping_an_administrator(actor):
        _read_again(role)
        added = set(permissions or ()) - set(role.permissions)
        before = {"name": role.name, "permissions": role.permissions}
        if name is not None:
            role.name = name.strip()
        if permissions is not None:
            role.permissions = _ordered(permissions)
        role.full_clean()
        for held in role.grants.select_related("group"):
            _refuse_more_than_own(added, held.group, actor, "permissions")
        role.save()
        after = {"name": role.name, "permissions": role.permissions}
        audit.record(actor, "role.change", role, before=before, after=after)
    return role


def remove_role(role: Role, actor: Actor) -> None:
    """Remove a role that is granted to nobody; raises ValidationError, ProtectedError."""
    _refuse_built_in(role)
    with turn():
        audit.record(actor, "role.remove", role, before={"permissions": role.permissions})
        role.delete()


def grant(holder: User | Team | DirectoryGroup, role: Role, group: Group, actor: Actor) -> Grant:
    """Give a user, a team or a group of a directory a role in a group and below; raises ValidationError."""
    made = Grant(**{_field_of(holder): holder}, role=role, group=group)
    with turn():
        _one_at_a_time()
        _read_again(role)
        _refuse_more_than_own(role.permissions, group, actor, "role")
        made.full_clean()
        made.save()
        audit.record(actor, "grant.create", made, after=_facts(made))
    return made


def withdraw(taken: Grant, actor: Actor) -> None:
    """Take a grant back; raises ValidationError for one's own administration and the last administrator's."""
    with turn(), keeping_an_administrator(actor):
        audit.record(actor, "grant.remove", taken, before=_facts(taken))
        Grant.objects.filter(pk=taken.pk).delete()


def administrators() -> QuerySet[User]:
    """Give the active users who administer the whole portal, by whatever way they hold it."""
    whole = Q()
    for one in HOLDERS:
        whole |= Q(**{f"{one.grants}__role__name": ADMINISTRATOR, f"{one.grants}__group__parent": None})
    return User.objects.filter(is_active=True, pk__in=User.objects.filter(whole).order_by().values("pk"))


def local_administrators() -> QuerySet[User]:
    """Give those who sign in also when every directory is down."""
    return administrators().filter(directory=None)


def _why_needed(others: QuerySet[User]) -> str:
    """Say what would be missing without the last local administrator."""
    if others.exists():
        return _("This is the last administrator who signs in without a directory: one is needed when all are down.")
    return _("This is the last administrator.")


@contextmanager
def keeping_an_administrator(actor: Actor) -> Iterator[None]:
    """Refuse, by a ValidationError at the end, what takes the administration from the actor or from the last one."""
    _one_at_a_time()
    own = User.objects.none() if actor.user is None else User.objects.filter(pk=actor.user.pk)
    had, rights = local_administrators().exists(), _stands(own)
    yield
    if not rights <= _stands(own):
        raise ValidationError(_("You cannot take the administration from yourself."))
    if had and not local_administrators().exists():
        raise ValidationError(_why_needed(administrators()))


def _stands(own: QuerySet[User]) -> set[str]:
    """Say by what a user, as he is now, comes to the pages of access."""
    user = own.first()
    if user is None:
        return set()
    found = {"administrator"} if administrators().filter(pk=user.pk).exists() else set()
    return found | ({"access"} if scoping.may(user, "access") else set())


def users_with(role: Role) -> QuerySet[User]:
    """Give the users who hold a role somewhere, by any way."""
    held = Q()
    for one in HOLDERS:
        held |= Q(**{f"{one.grants}__role": role.pk})
    return User.objects.filter(pk__in=User.objects.filter(held).order_by().values("pk"))


@contextmanager
def guard_team(actor: Actor, team: Team, come: Collection[User], go: Collection[User]) -> Iterator[None]:
    """Give nobody by a team what the actor does not hold, and lose no last administrator; registered with accounts."""
    with keeping_an_administrator(actor):
        if come:
            for held in team.grants.select_related("role", "group"):
                _refuse_more_than_own(held.role.permissions, held.group, actor, "members")
        yield


def create_first_administrator(name: str, password: str, must_change: bool) -> User:
    """Make the administrator of a new portal; raises ValidationError."""
    with turn():
        user = users.create(name, password, COMMAND, must_change=must_change)
        grant(user, Role.objects.get(name=ADMINISTRATOR), Group.objects.get(parent=None), COMMAND)
    return user


def keep_an_administrator(user: User) -> None:
    """Refuse to lose the last administrator; registered with accounts."""
    _one_at_a_time()
    local = local_administrators()
    if local.filter(pk=user.pk).exists() and not local.exclude(pk=user.pk).exists():
        raise ValidationError(_why_needed(administrators().exclude(pk=user.pk)))


def refuse_higher(opened: QuerySet[User], groups: QuerySet[DirectoryGroup], actor: Actor) -> None:
    """Refuse to open accounts, or groups of directories, that hold more; registered with accounts.

    Of one's own account, too: who comes by a limited token holds less than it.
    """
    if actor.user is None:
        return
    held = Grant.objects.filter(directory_group__in=groups.order_by())
    pairs = set(held.values_list("role", "group").order_by())
    for one in HOLDERS:
        granted = opened.order_by().filter(**{f"{one.grants}__isnull": False})
        pairs |= set(granted.values_list(f"{one.grants}__role", f"{one.grants}__group").distinct())
    permissions = dict(Role.objects.values_list("pk", "permissions"))
    if any(not scoping.may(actor.user, name, group) for role, group in pairs for name in permissions[role]):
        raise ValidationError(_("This needs somebody who holds at least as much as the accounts that it concerns."))


def held_by_directory_groups(ids: Sequence[int]) -> dict[int, list[str]]:
    """Say what groups of directories were granted, by their ids; registered with accounts."""
    told: dict[int, list[str]] = {}
    for one in Grant.objects.filter(directory_group__in=ids).select_related("role", "group"):
        told.setdefault(one.directory_group_id or 0, []).append(f"{one.role.label} · {one.group}")
    return told


def _one_at_a_time() -> None:
    """Have whoever gives rights or takes them wait for the others to end, and decide by what they left.

    Two could each leave the other one's administrator, or one grant a role that the other one makes worth more.
    On SQLite the write turn sees to it.
    """
    Role.objects.select_for_update().get(name=ADMINISTRATOR)


def _read_again(role: Role) -> None:
    """Take a role as it is now, ours until the end of the transaction; raises ValidationError when it is gone."""
    try:
        role.refresh_from_db(from_queryset=Role.objects.select_for_update())
    except Role.DoesNotExist as error:
        raise ValidationError(_("This role was removed meanwhile.")) from error


def _ordered(permissions: Sequence[str]) -> list[str]:
    known = [name for name in scoping.PERMISSIONS if name in permissions]
    return known + [name for name in permissions if name not in scoping.PERMISSIONS]


def _refuse_built_in(role: Role) -> None:
    if role.built_in:
        raise ValidationError(_("Roles that come with the portal are not changed; make one of your own."))


def _refuse_more_than_own(permissions: Collection[str], group: Group, actor: Actor, field: str) -> None:
    """Nobody gives away what he does not hold himself."""
    if actor.user is not None and any(not scoping.may(actor.user, name, group.pk) for name in permissions):
        sentence = _("You do not hold all of these permissions in %(group)s yourself.") % {"group": group}
        raise ValidationError({field: [sentence]})


def _field_of(holder: User | Team | DirectoryGroup) -> str:
    """Give the field of a grant that this holder goes into."""
    models: dict[str, Any] = {one.field: Grant._meta.get_field(one.field).related_model for one in HOLDERS}
    return next(field for field, model in models.items() if isinstance(holder, model))


def _facts(one: Grant) -> dict[str, str]:
    return {one.holder_field: str(one.holder), "role": one.role.name, "group": one.group.name}

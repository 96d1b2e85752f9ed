"""Makes and changes teams and their members; every change is audited."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.accounts.models import Team, User
from apps.core import audit, holdings
from apps.core.actors import Actor
from apps.core.registries import Registry
from apps.core.writes import turn

# What upper apps hold against a change of who is in a team: entered within its transaction, with the team, those who
# come and those who go; raises ValidationError before the change, or after it.
guards: Registry[Callable[[Actor, Team, Collection[User], Collection[User]], AbstractContextManager[None]]] = Registry(
    "guard of teams"
)


def create(name: str, actor: Actor, *, note: str = "", members: Collection[User] = ()) -> Team:
    """Make a team; raises ValidationError naming the field."""
    team = Team(name=name.strip(), note=note.strip())
    _check(team)
    with turn():
        team.save()
        team.members.set(members)
        after = {"name": team.name, "note": team.note, "members": _names(members)}
        audit.record(actor, "team.create", team, after=after)
    return team


def change(team: Team, actor: Actor, *, name: str | None = None, note: str | None = None) -> Team:
    """Give a team another name or note; raises ValidationError naming the field."""
    before = {"name": team.name, "note": team.note}
    if name is not None:
        team.name = name.strip()
    if note is not None:
        team.note = note.strip()
    _check(team)
    with turn():
        team.save(update_fields=["name", "note"])
        audit.record(actor, "team.change", team, before=before, after={"name": team.name, "note": team.note})
    return team


def add_members(team: Team, users: Collection[User], actor: Actor) -> None:
    """Put users into a team; those who are in it stay; raises ValidationError."""
    with turn():
        present = set(team.members.values_list("pk", flat=True))
        _move(team, [user for user in users if user.pk not in present], [], actor)


def remove_members(team: Team, users: Collection[User], actor: Actor) -> None:
    """Take users out of a team; raises ValidationError for the last administrator."""
    with turn():
        _move(team, [], list(team.members.filter(pk__in=[user.pk for user in users])), actor)


def set_members(team: Team, users: Collection[User], actor: Actor) -> None:
    """Make these the members of a team; raises ValidationError."""
    with turn():
        present = {user.pk: user for user in team.members.all()}
        wanted = {user.pk: user for user in users}
        come = [user for pk, user in wanted.items() if pk not in present]
        go = [user for pk, user in present.items() if pk not in wanted]
        _move(team, come, go, actor)


def remove(team: Team, actor: Actor) -> None:
    """Remove a team with what is granted to it; raises ValidationError for the last administrator."""
    with turn():
        members = list(team.members.order_by("username"))
        with _guarded(actor, team, [], members):
            before = {"name": team.name, "note": team.note, "members": _names(members)}
            audit.record(actor, "team.remove", team, before=before | holdings.of(team))
            Team.objects.filter(pk=team.pk).delete()


def named(text: str) -> tuple[list[User], list[str]]:
    """Read user names that are separated by commas or spaces; gives the users, and the names that nobody has."""
    names = dict.fromkeys(text.replace(",", " ").replace("、", " ").split())
    same = Q()
    for name in names:
        same |= Q(username__iexact=name)
    found = list(User.objects.filter(same).order_by("username")) if names else []
    known = {user.username.casefold() for user in found}
    return found, [name for name in names if name.casefold() not in known]


def _move(team: Team, come: Sequence[User], go: Sequence[User], actor: Actor) -> None:
    if not come and not go:
        return
    with _guarded(actor, team, come, go):
        team.members.add(*come)
        team.members.remove(*go)
        after = {name: _names(users) for name, users in (("added", come), ("removed", go)) if users}
        audit.record(actor, "team.members", team, after=after)


@contextmanager
def _guarded(actor: Actor, team: Team, come: Collection[User], go: Collection[User]) -> Iterator[None]:
    with ExitStack() as entered:
        for guard in guards:
            entered.enter_context(guard(actor, team, come, go))
        yield


def _check(team: Team) -> None:
    team.full_clean(validate_constraints=False)
    if Team.objects.filter(name__iexact=team.name).exclude(pk=team.pk).exists():
        raise ValidationError({"name": [_("A team of this name exists already.")]})


def _names(users: Collection[User]) -> list[str]:
    return sorted(user.username for user in users)

"""The groups of directories that mean something here: named, compared, forgotten; what they hold, upper apps say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.accounts.models import Directory, DirectoryGroup, User
from apps.accounts.services.directories import syntax
from apps.accounts.services.directories.conversation import FoundGroup
from apps.accounts.services.directories.faults import Fault
from apps.accounts.services.directories.servers import talk
from apps.core import audit
from apps.core.actors import Actor
from apps.core.holdings import of as going_with
from apps.core.registries import Registry
from apps.core.writes import turn

# What upper apps know of groups: given their ids, what each of them holds, in words.
group_holdings: Registry[Callable[[Sequence[int]], Mapping[int, Sequence[str]]]] = Registry("holdings of a group")
# What upper apps hold against the removal of a group: entered within its transaction, raises ValidationError.
removal_guards: Registry[Callable[[Actor], AbstractContextManager[None]]] = Registry("guard of directory groups")


def known(directory: Directory, groups: Iterable[FoundGroup]) -> list[DirectoryGroup]:
    """Give those of the groups that are known here."""
    keys = {syntax.key_of(group.dn) for group in groups}
    if directory.pk is None or not keys:
        return []
    return [row for row in directory.groups.all() if row.key in keys]


def holdings(groups: Sequence[DirectoryGroup]) -> list[str]:
    """Give what groups hold here, each thing once, in words."""
    ids = [group.pk for group in groups]
    told = [told for look in group_holdings for told in look(ids).values()]
    return list(dict.fromkeys(word for words in told for word in words))


def find(directory: Directory, text: str) -> FoundGroup:
    """Look in the directory for the group of a name or distinguished name; raises ValidationError, also when silent."""
    text = text.strip()
    try:
        with talk(directory, try_all=True) as conversation:
            if "=" in text:
                one = conversation.group_at(syntax.clean_dn(text))
                found = [FoundGroup(text, one.name)] if one else []
            else:
                found = conversation.groups_named(text)
    except Fault as fault:
        said = f"{fault.text} ({fault.words})" if fault.words else str(fault.text)
        raise ValidationError({"dn": [said]}) from fault
    if not found:
        raise ValidationError({"dn": [_("The directory has no group “%(name)s”.") % {"name": text}]})
    if len(found) > 1:
        names = "; ".join(group.dn for group in found[:10])
        sentence = _("Several groups have this name; enter one of: %(names)s") % {"names": names}
        raise ValidationError({"dn": [sentence]})
    return found[0]


def add(directory: Directory, dn: str, actor: Actor, *, name: str = "") -> DirectoryGroup:
    """Make a group of a directory known, by its distinguished name; raises ValidationError."""
    dn = syntax.clean_dn(dn)
    row = DirectoryGroup(
        directory=directory, dn=dn, key=syntax.key_of(dn)[:1000], name=(name.strip() or syntax.first_value(dn))[:200]
    )
    row.full_clean()
    with turn():
        row.save()
        audit.record(actor, "directory-group.add", row, after={"directory": directory.name, "dn": row.dn})
    return row


def obtain(directory: Directory, found: FoundGroup, actor: Actor) -> DirectoryGroup:
    """Give the row of a found group, made where it is missing."""
    row = directory.groups.filter(key=syntax.key_of(found.dn)).first()
    return row or add(directory, found.dn, actor, name=found.name)


def remove(row: DirectoryGroup, actor: Actor) -> None:
    """Forget a group with what it was granted; raises ValidationError where that takes too much away."""
    with turn(), ExitStack() as guarded:
        for guard in removal_guards:
            guarded.enter_context(guard(actor))
        before = {"directory": row.directory.name, "dn": row.dn} | going_with(row)
        audit.record(actor, "directory-group.remove", row, before=before)
        row.delete()


def set_memberships(user: User, groups: Iterable[DirectoryGroup]) -> bool:
    """Keep in which known groups a user is; gives whether that is new."""
    before = set(user.directory_groups.values_list("pk", flat=True))
    after = {group.pk for group in groups}
    if before == after:
        return False
    user.directory_groups.set(after)
    return True

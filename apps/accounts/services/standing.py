"""Nobody gets, by managing the accounts of others, at what he does not hold himself.

A password set for somebody else, a second factor taken away, a directory led to another server: each of them opens
accounts. What an account may do is known to upper apps, which register their check here.
"""

from collections.abc import Callable

from django.db.models import QuerySet

from apps.accounts.models import DirectoryGroup, User
from apps.core.actors import Actor
from apps.core.registries import Registry

Check = Callable[[QuerySet[User], QuerySet[DirectoryGroup], Actor], None]

checks: Registry[Check] = Registry("check of who may open an account")


def refuse_higher(actor: Actor, opened: QuerySet[User], groups: QuerySet[DirectoryGroup] | None = None) -> None:
    """Refuse, by a ValidationError, to open accounts, or groups of directories, that hold more than the actor."""
    for check in checks:
        check(opened, DirectoryGroup.objects.none() if groups is None else groups, actor)

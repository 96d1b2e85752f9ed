"""Which roles need a second factor, and so which users."""

from functools import reduce
from operator import or_

from django.db.models import Q

from apps.access.models import HOLDERS, Role
from apps.accounts.models import User
from apps.core import audit
from apps.core.actors import Actor
from apps.core.writes import turn


def require(role: Role, needed: bool, actor: Actor) -> None:
    """Say whether a role, also one that comes with the portal, needs a second factor.

    Whoever holds it anywhere has to set one up before anything else, from his next click on.
    """
    if role.needs_second_factor == needed:
        return
    with turn():
        before = {"needs_second_factor": role.needs_second_factor}
        role.needs_second_factor = needed
        role.save(update_fields=["needs_second_factor"])
        audit.record(actor, "role.second_factor", role, before=before, after={"needs_second_factor": needed})


def lacking(role: Role) -> int:
    """Count the active users who hold a role by any grant and have no second factor yet."""
    held = reduce(or_, (Q(**{f"{holder.grants}__role": role}) for holder in HOLDERS))
    return User.objects.filter(held, is_active=True).exclude(totp_device__confirmed=True).distinct().count()

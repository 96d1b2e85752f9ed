"""Which roles need a second factor, and so which users."""

from apps.access.models import Role
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


def needs_second_factor(user: User) -> bool:
    """Say whether a user holds a role that needs a second factor; registered with accounts."""
    return Role.objects.filter(grants__user=user.pk, needs_second_factor=True).exists()


def lacking(role: Role) -> int:
    """Count the users who hold a role and have no second factor yet."""
    holders = User.objects.filter(grants__role=role, is_active=True)
    return holders.exclude(totp_device__confirmed=True).distinct().count()

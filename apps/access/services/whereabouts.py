"""From where somebody may sign in: prefixes of a user, and of the roles that he holds; the machine itself always."""

import time
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.access.models import Grant, Role, SignInRule
from apps.access.services import addresses
from apps.accounts.models import User
from apps.core import audit
from apps.core.actors import Actor
from apps.core.writes import turn

FRESH = 3.0  # seconds that a process trusts that there is no rule at all

_any = False
_read_at = -FRESH


def may_come_from(user: User, address: str | None) -> bool:
    """Say whether a user may be signed in from an address: it is in the prefixes of each rule that concerns him."""
    here = addresses.parse(address) if address else None
    if here is not None and here.is_loopback:
        return True
    if not _is_any():
        return True
    concerned = Q(user=user.pk) | Q(role__in=Grant.objects.of(user.pk).order_by().values("role"))
    rules = SignInRule.objects.filter(concerned).values_list("networks", flat=True)
    return all(addresses.is_within(address, networks) for networks in rules)


def restrict(subject: User | Role, networks: Iterable[str], actor: Actor) -> SignInRule | None:
    """Let a user, or all who hold a role, sign in from these prefixes alone, from everywhere where there are none.

    Raises ValidationError for what is no prefix, and when the actor would lock himself out.
    """
    field = "user" if isinstance(subject, User) else "role"
    wanted = addresses.networks(networks)
    with turn():
        found = SignInRule.objects.select_for_update().filter(**{field: subject}).first()
        before = found.networks if found else []
        rule = found or SignInRule(**{field: subject})
        if wanted:
            rule.networks = wanted
            rule.full_clean()
            rule.save()
        elif found:
            SignInRule.objects.filter(pk=found.pk).delete()
        audit.record(actor, "sign_in.restrict", subject, before={"networks": before}, after={"networks": wanted})
        forget()
        _keep_in(actor)
        transaction.on_commit(forget)
    return rule if wanted else None


def networks_of(subject: User | Role) -> list[str]:
    """Give the prefixes of a user or role; none where he may come from everywhere."""
    field = "user" if isinstance(subject, User) else "role"
    found = SignInRule.objects.filter(**{field: subject}).first()
    return found.networks if found else []


def forget() -> None:
    """Make this process look again whether there are rules."""
    global _read_at
    _read_at = -FRESH


def _is_any() -> bool:
    global _any, _read_at
    if time.monotonic() - _read_at >= FRESH:
        _any = SignInRule.objects.exists()
        _read_at = time.monotonic()
    return _any


def _keep_in(actor: Actor) -> None:
    if actor.user is not None and actor.address is not None and not may_come_from(actor.user, actor.address):
        sentence = _("You are connected from %(address)s; this would lock you out.") % {"address": actor.address}
        raise ValidationError({"networks": [sentence]})

"""Finds users who still have a password that came with a product: it is known to everybody (LGN-05)."""

from collections.abc import Iterable
from functools import lru_cache

from django.contrib.auth.hashers import check_password
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.cautions import Caution

# How the first user of a product is called, and what his password is; each pair costs a third of a second to try, once.
NAMES = ("administrator", "admin", "esmpro", "root")
PASSWORDS = ("esmpro", "admin", "administrator", "password")


def cautions() -> Iterable[Caution]:
    """Give the active users with such a name and such a password."""
    users = User.objects.filter(name_key__in=NAMES, is_active=True)
    return [
        Caution(
            _("%(user)s has a password that everybody knows.") % {"user": user.username},
            reverse("accounts:password", "esm.urls"),
        )
        for user in users
        if _is_default(user.password)
    ]


@lru_cache(maxsize=64)
def _is_default(stored: str) -> bool:
    """Try the passwords on a hash; the hash changes with the password, so the answer stays true."""
    return any(check_password(password, stored) for password in PASSWORDS)

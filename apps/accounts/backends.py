"""How Django signs in people of directories; local accounts are signed in by Django's own back end, before this one."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django_auth_ldap.backend import LDAPBackend
from django_auth_ldap.config import LDAPSettings

from apps.accounts.models import User
from apps.accounts.services import lockouts
from apps.accounts.services.directories import signing_in


class DirectoryBackend(LDAPBackend):
    """django-auth-ldap's back end with rows of directories instead of a settings file."""

    @property
    def settings(self) -> LDAPSettings:
        """Have no settings of its own: each directory has its, see ``services.directories.settings``."""
        return LDAPSettings("_DIRECTORY_", {})

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **more: Any
    ) -> User | None:
        """Give the account of a name and password that a directory accepts."""
        if username is None or password is None:
            return None
        address = request.META.get("REMOTE_ADDR") if request is not None else None
        return signing_in.sign_in(username, password, address, partial(lockouts.admits, request))

    def get_user(self, user_id: int) -> User | None:
        """Give the user of a session, as long as he is active."""
        return User.objects.filter(pk=user_id, is_active=True).first()

    def has_perm(self, user: Any, perm: str, obj: Any = None) -> bool:
        """Leave it to grants, which Django does not know."""
        return False

    def get_all_permissions(self, user: Any, obj: Any = None) -> set[str]:
        """Give none, for the same reason."""
        return set()

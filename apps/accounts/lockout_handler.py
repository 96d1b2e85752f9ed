"""Where django-axes keeps what it counts: our own rows, one for an account or address, however many clients there are.

Axes' back end stands before all others and asks for a verdict; its signals say who got in. Its middleware is left out
on purpose: it answers with a status of its own, which tells whether somebody is locked.
"""

from typing import Any

from axes.handlers.base import AbstractAxesHandler, AxesBaseHandler
from django.http import HttpRequest

from apps.accounts.models import LockOut
from apps.accounts.services import lockouts
from apps.core.actors import COMMAND


class Handler(AxesBaseHandler, AbstractAxesHandler):
    """Counts by account and address, with a delay that grows."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Count the attempt, and say whether it is refused because of earlier ones."""
        who = lockouts.claimant_of(request, _name(credentials))
        verdict = lockouts.attempt(who)
        request.sign_in_as, request.sign_in_verdict = who, verdict  # type: ignore[attr-defined]
        request.sign_in_alias = None  # type: ignore[attr-defined]  # known when a directory has found the account
        return verdict.locked is not None

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Give what is counted for the account."""
        kind, name, browser = lockouts.claimant_of(request, _name(credentials)).keys[-1]
        row = LockOut.objects.filter(kind=kind, name=name, browser=browser).first()
        return row.failures if row is not None else 0

    def user_login_failed(self, sender: object, credentials: dict[str, Any], request: Any = None, **about: Any) -> None:
        """Do nothing more: the attempt was counted before it failed."""

    def user_logged_in(self, sender: object, request: HttpRequest, user: Any, **about: Any) -> None:
        """Forget what failed for this user."""
        lockouts.forgive(lockouts.claimant_of(request, user.get_username()))

    def user_logged_out(self, sender: object, request: HttpRequest, user: Any, **about: Any) -> None:
        """Do nothing: who leaves is not counted."""

    def reset_attempts(
        self, *, ip_address: str | None = None, username: str | None = None, ip_or_username: bool = False
    ) -> int:
        """Release, for the commands of axes; with neither, everything."""
        if ip_address is None and username is None:
            return sum(lockouts.release_row(row, COMMAND) for row in LockOut.objects.iterator())
        return lockouts.release(actor=COMMAND, user=username, address=ip_address)


def _name(credentials: dict[str, Any] | None) -> str:
    return str((credentials or {}).get("username") or "")

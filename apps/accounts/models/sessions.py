"""Where somebody is signed in: the sessions, with the columns by which they are found, shown and ended."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import browsers
from apps.accounts.models.users import User
from apps.core import options, scoping


class SessionQuerySet(models.QuerySet["Session"]):
    """Words for asking after sessions."""

    def alive(self) -> Self:
        """Keep the sessions of active users that are neither idle nor older than they may be."""
        now = timezone.now()
        return self.filter(
            Q(active_at=None) | Q(active_at__gt=now - idle_after()),
            user__is_active=True,
            signed_in_at__gt=now - lasts_at_most(),
            expire_date__gt=now,
        )

    def visible_to(self, user: Any, permission: str = "view") -> Self:
        """Keep one's own, but none by a limited token; whoever manages access sees those of everybody."""
        everybody = scoping.may(user, "access")
        return self.exclude(user=None) if everybody else self.filter(user__in=scoping.owners(user))


class SessionManager(BaseSessionManager.from_queryset(SessionQuerySet)):  # type: ignore[misc]
    """Django's manager, with our words."""


class Session(AbstractBaseSession):
    """A browser that is known again; one that has signed in belongs to a user.

    Its key is a secret and stays with the browser; the id is what pages and programs call it.
    """

    id = models.BigAutoField(primary_key=True)
    session_key = models.CharField(_("key"), max_length=40, unique=True, editable=False)
    session_data = models.TextField(_("data"), editable=False)
    user = models.ForeignKey(
        User, verbose_name=_("user"), null=True, on_delete=models.CASCADE, related_name="sessions", editable=False
    )
    signed_in_at = models.DateTimeField(_("signed in"), default=timezone.now, editable=False)
    active_at = models.DateTimeField(_("last active"), null=True, editable=False)
    address = models.GenericIPAddressField(_("address"), null=True, editable=False)
    agent = models.CharField(_("browser"), max_length=300, blank=True, default="", editable=False)

    objects: ClassVar[Any] = SessionManager()

    class Meta(AbstractBaseSession.Meta):
        ordering = ["-active_at", "-pk"]
        verbose_name = _("session")  # type: ignore[assignment]  # the stubs know only the base's plain text
        verbose_name_plural = _("sessions")  # type: ignore[assignment]  # the same

    def __str__(self) -> str:
        return f"{self.user} #{self.pk}" if self.user_id else f"#{self.pk}"

    @property
    def audit_name(self) -> str:
        """Give what the audit calls it."""
        return self.user.username if self.user is not None else ""

    @property
    def browser(self) -> str:
        """Say in plain words which browser it is."""
        return browsers.in_words(self.agent)

    @classmethod
    def get_session_store_class(cls) -> Any:
        """Give the engine that reads and writes it."""
        from apps.accounts.session_store import SessionStore

        return SessionStore


def idle_after() -> timedelta:
    """Give how long somebody may do nothing before he is signed out."""
    return timedelta(minutes=options.get("auto_logout"))


def lasts_at_most() -> timedelta:
    """Give how long after the sign-in a session ends in any case."""
    return timedelta(hours=options.get("session_hours"))

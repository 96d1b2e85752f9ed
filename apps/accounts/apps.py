"""Registers accounts with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Who signs in."""

    name = "apps.accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Register options, what to mend, and that the live stream of a session that is over ends."""
        from apps.accounts import nav  # noqa: F401
        from apps.accounts.services import default_secrets, sessions
        from apps.core import cautions
        from apps.core.stream import session_checks

        session_checks.add("not-idle", sessions.is_lively)
        cautions.registry.add("default-passwords", default_secrets.cautions)

"""Registers accounts with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Who signs in."""

    name = "apps.accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Register options and menu entries."""
        from apps.accounts import nav  # noqa: F401

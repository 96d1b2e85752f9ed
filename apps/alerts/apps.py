"""Registers alerts with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    """See the package."""

    name = "apps.alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        """Register options, the menu entry, hooks, and the tab and panels of components."""
        from apps.alerts import nav, panels  # noqa: F401

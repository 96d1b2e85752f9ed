"""Registers alerts with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    """See the package."""

    name = "apps.alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        """Register what it offers."""
        from apps.alerts import nav  # noqa: F401

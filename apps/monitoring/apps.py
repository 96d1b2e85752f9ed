"""Registers monitoring with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    """See the package."""

    name = "apps.monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        """Register what it offers."""
        from apps.monitoring import nav  # noqa: F401

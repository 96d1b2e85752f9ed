"""Registers monitoring with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    """Watches components: polls, readings, history, liveness."""

    name = "apps.monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        """Register options, the collector behind "collect now", and panels."""
        from apps.components import extensions
        from apps.monitoring import nav  # noqa: F401
        from apps.monitoring.services import collecting, presence

        extensions.collectors.add("monitoring", collecting.collect)
        extensions.lookers.add("monitoring", presence.look_at)

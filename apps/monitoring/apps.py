"""Registers monitoring with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    """Watches components: polls, readings, history, liveness."""

    name = "apps.monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        """Register options, the collector behind "collect now", and panels."""
        from apps.alerts.services import exempt_objects, object_names
        from apps.components import extensions
        from apps.monitoring import nav  # noqa: F401
        from apps.monitoring.services import collecting, event_logs, port_exclusion, port_names, presence, sensor_names

        extensions.collectors.add("monitoring", collecting.collect)
        extensions.ordered.add("event-logs", event_logs.look_soon)
        extensions.log_keepers.add("event-logs", event_logs.keep_before_clearing)
        object_names.add("port", port_names.names_of_ports)
        object_names.add("sensor", sensor_names.names_of_sensors)
        exempt_objects.add("port", port_exclusion.excluded_parts)
        extensions.lookers.add("monitoring", lambda look: presence.watch(look.component.pk))

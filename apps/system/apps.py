"""Registers what runs the portal itself."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SystemConfig(AppConfig):
    """Processes, ports, checks of the machine, health."""

    name = "apps.system"
    verbose_name = _("System")

    def ready(self) -> None:
        """Register the portal's own processes, options and jobs."""
        from apps.core import cautions
        from apps.system import nav, own_addresses, specs  # noqa: F401
        from apps.system.processes import registry
        from apps.system.tls import nav as tls_nav  # noqa: F401

        specs.register(registry)
        cautions.registry.add("leased-addresses", own_addresses.cautions)

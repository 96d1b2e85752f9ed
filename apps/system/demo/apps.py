"""Registers what a demonstration adds to the portal: the simulated fleet, who registers it, and the banner."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DemoConfig(AppConfig):
    """The demonstration; installed by ``esm.settings.demo`` alone."""

    name = "apps.system.demo"
    label = "demo"
    verbose_name = _("Demonstration")

    def ready(self) -> None:
        """Register the two processes and the banner."""
        from apps.core import banners
        from apps.system.demo import specs
        from apps.system.demo.banner import banner
        from apps.system.processes import registry

        specs.register(registry)
        banners.registry.add("demo", banner)

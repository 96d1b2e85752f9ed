"""Registers the portal with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """The page frame and the pages over all apps."""

    name = "apps.portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        """Register the portal's own menu entries and banner."""
        from apps.core import banners
        from apps.portal import cautions, menu  # noqa: F401

        banners.registry.add("cautions", cautions.banner)

"""Registers the portal with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """The page frame and the pages over all apps."""

    name = "apps.portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        """Register the portal's own menu entries."""
        from apps.portal import menu  # noqa: F401

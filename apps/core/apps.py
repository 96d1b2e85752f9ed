"""Registers the core with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    """Jobs, audit, options and the tools that every app uses."""

    name = "apps.core"
    verbose_name = _("Core")

    def ready(self) -> None:
        """Register the core's own options and job menu."""
        from apps.core import nav  # noqa: F401

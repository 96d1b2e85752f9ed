"""Registers control with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ControlConfig(AppConfig):
    """Orders to devices."""

    name = "apps.control"
    verbose_name = _("Control")

    def ready(self) -> None:
        """Register options, job kinds, words of the audit, and what is offered on the pages of components."""
        from apps.control import nav, options  # noqa: F401

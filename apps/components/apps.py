"""Registers components with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ComponentsConfig(AppConfig):
    """The managed devices."""

    name = "apps.components"
    verbose_name = _("Components")

    def ready(self) -> None:
        """Register options, job kinds, menu entries and panels."""
        from apps.components import nav, panels  # noqa: F401
        from apps.components.services import default_secrets
        from apps.core import cautions

        cautions.registry.add("default-credentials", default_secrets.cautions)

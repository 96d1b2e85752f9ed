"""Registers groups with Django."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class GroupsConfig(AppConfig):
    """The tree that components stand in."""

    name = "apps.groups"
    verbose_name = _("Groups")

    def ready(self) -> None:
        """Register menu entries, and have a root in every new database."""
        from apps.groups import nav  # noqa: F401

        post_migrate.connect(plant, sender=self)


def plant(using: str, **about: Any) -> None:
    """Make the root group of a new database."""
    from apps.groups.models import ROOT_NAME, Group

    if not Group.objects.using(using).exists():
        Group.objects.using(using).create(name=ROOT_NAME)

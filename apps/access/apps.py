"""Registers access control with Django."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    """Decides what each user may see and do."""

    name = "apps.access"
    verbose_name = _("Access")

    def ready(self) -> None:
        """Become the resolver behind ``visible_to``, keep an administrator, and register menu entries."""
        from apps.access import nav  # noqa: F401
        from apps.access.resolver import needs_second_factor, scope_of
        from apps.access.services.holdings import going_with
        from apps.access.services.roles import (
            guard_team,
            held_by_directory_groups,
            keep_an_administrator,
            keeping_an_administrator,
            refuse_higher,
        )
        from apps.access.services.whereabouts import may_come_from
        from apps.accounts.services import second_factor, signing_in, standing, teams
        from apps.accounts.services.directories import mapping
        from apps.accounts.services.users import removal_checks
        from apps.core import holdings, scoping

        scoping.register_resolver(scope_of)
        holdings.registry.add("grants", going_with)
        removal_checks.add("last-administrator", keep_an_administrator)
        standing.checks.add("grants", refuse_higher)
        second_factor.requirements.add("role", needs_second_factor)
        signing_in.whereabouts.add("prefixes", may_come_from)
        teams.guards.add("grants", guard_team)
        mapping.group_holdings.add("grants", held_by_directory_groups)
        mapping.removal_guards.add("last-administrator", keeping_an_administrator)
        post_migrate.connect(make_built_in_roles, sender=self)


def make_built_in_roles(using: str, **about: Any) -> None:
    """Bring the built-in roles to what this version says."""
    from apps.access.models import BUILT_IN, Role

    for name, permissions in BUILT_IN.items():
        defaults = {"permissions": list(permissions), "built_in": True}
        Role.objects.using(using).update_or_create(name=name, defaults=defaults)

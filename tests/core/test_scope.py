"""Who sees what: the resolver, and the contract that every model with a way to a group is scoped."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import models

from apps.access.models import Grant, Role
from apps.components.models import Component
from apps.core import scoping
from apps.core.models import Job
from apps.groups.models import Group
from tests.factories import make_component, make_group, make_user, root_group

# Reached through a row that is scoped, or governed by "access" over the whole portal; never listed alone.
UNSCOPED = {
    "access.Grant",
    "components.CredentialVersion",
    "components.Reservation",
}


def ways_to_group(model: type[models.Model], seen: frozenset[type[models.Model]] = frozenset()) -> Iterator[str]:
    """Give the ways of foreign keys from a model to a group."""
    for field in model._meta.fields:
        target = field.remote_field.model if field.remote_field else None
        if target is Group:
            yield field.name
        elif isinstance(target, type) and target not in seen and target._meta.label.split(".")[0] not in {"accounts"}:
            for way in ways_to_group(target, seen | {model}):
                yield f"{field.name}__{way}"


def own_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("apps.")]


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model._meta.label)
def test_every_model_with_a_way_to_a_group_is_scoped(model):
    ways = list(ways_to_group(model))
    label = model._meta.label
    if label in UNSCOPED:
        assert ways, f"{label} has no way to a group any more; take it off the list"
        return
    if ways:
        assert hasattr(model._default_manager.all(), "visible_to"), f"{label} reaches a group by {ways[0]}"


@pytest.mark.django_db
class TestResolver:
    """Grants add up over subtrees."""

    @pytest.fixture(autouse=True)
    def _fleet(self):
        self.tokyo = make_group("Tokyo")
        self.rack = make_group("Rack 1", self.tokyo)
        self.osaka = make_group("Osaka")
        for name, group in (("t", self.tokyo), ("r", self.rack), ("o", self.osaka), ("root", root_group())):
            make_component(name, group)

    def seen(self, user, permission: str = "view") -> set[str]:
        return set(Component.objects.visible_to(user, permission).values_list("name", flat=True))

    def test_a_role_reaches_the_subtree_and_nothing_else(self):
        viewer = make_user("viewer", self.tokyo)
        assert self.seen(viewer) == {"t", "r"}
        assert self.seen(viewer, "components") == set()
        operator = make_user("operator", self.rack)
        assert self.seen(operator) == self.seen(operator, "check") == {"r"}
        administrator = make_user("administrator")
        assert self.seen(administrator, "components") == {"t", "r", "o", "root"}
        assert scoping.may(administrator, "access")
        part = make_user("administrator", self.tokyo)
        assert scoping.may(part, "components", self.rack.pk)
        assert not scoping.may(part, "components", self.osaka.pk)
        assert not scoping.may(part, "access")

    def test_grants_add_up(self):
        user = make_user("viewer", self.tokyo)
        Grant.objects.create(user=user, role=Role.objects.get(name="operator"), group=self.osaka)
        assert self.seen(user) == {"t", "r", "o"}
        assert self.seen(user, "alerts") == {"o"}

    def test_nobody_and_the_disabled_see_nothing(self):
        assert self.seen(None) == self.seen(AnonymousUser()) == set()
        assert self.seen(make_user("administrator", is_active=False)) == set()
        assert self.seen(make_user(None)) == set()
        assert not Job.objects.visible_to(AnonymousUser()).exists()

    def test_a_superuser_of_django_is_nothing_special(self):
        assert self.seen(make_user(None, is_superuser=True)) == set()

    def test_an_unknown_permission_is_a_mistake_of_ours(self):
        with pytest.raises(ValueError, match="fly"):
            scoping.scope_of(make_user(), "fly")

    def test_looking_costs_two_queries_however_often_it_is_asked(self, django_assert_num_queries):
        user = make_user("viewer", self.tokyo)
        with django_assert_num_queries(2):
            for permission in scoping.PERMISSIONS:
                scoping.scope_of(user, permission)

"""The pages of the group tree: counts, changes and refusals."""

import pytest
from django.urls import reverse

from apps.core.models import AuditEntry
from apps.groups.models import Group
from tests.factories import make_component, make_group, make_user, root_group

pytestmark = pytest.mark.django_db
LIST, ADD = reverse("groups:list"), reverse("groups:add")


def test_the_tree_counts_what_stands_below_and_shows_the_worst(client):
    tokyo = make_group("Tokyo")
    rack = make_group("Rack 1", tokyo)
    make_component("a", rack, status="critical")
    make_component("b", tokyo, status="normal")
    make_component("c", status="normal", group=root_group())
    client.force_login(make_user("viewer"))
    lines = {line.group.name: (line.depth, line.total, line.worst) for line in client.get(LIST).context["lines"]}
    assert lines == {
        "All components": (0, 3, "critical"),
        "Tokyo": (1, 2, "critical"),
        "Rack 1": (2, 1, "critical"),
    }


def test_an_administrator_of_a_site_sees_and_changes_only_his_part(client):
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    client.force_login(make_user("administrator", tokyo))
    assert [line.group.name for line in client.get(LIST).context["lines"]] == ["Tokyo"]
    assert client.get(osaka.get_absolute_url()).status_code == 404
    client.post(ADD, {"name": "Rack 1", "parent": tokyo.pk, "description": "by the door"})
    rack = Group.objects.get(name="Rack 1")
    assert (rack.parent, rack.description) == (tokyo, "by the door")
    refused = client.post(ADD, {"name": "Rack 2", "parent": osaka.pk})
    assert refused.status_code == 400
    assert "parent" in refused.context["form"].errors
    assert not Group.objects.filter(name="Rack 2").exists()


def test_a_viewer_may_look_only(client):
    tokyo = make_group("Tokyo")
    client.force_login(make_user("viewer"))
    assert ADD not in client.get(LIST).content.decode()
    assert client.get(ADD).status_code == 403
    assert client.post(tokyo.get_absolute_url(), {"name": "Kyoto"}).status_code == 403
    assert client.post(reverse("groups:remove", args=[tokyo.pk])).status_code == 403
    assert Group.objects.filter(name="Tokyo").exists()


def test_a_group_is_renamed_moved_and_never_into_itself(client):
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    rack = make_group("Rack 1", tokyo)
    client.force_login(make_user("administrator"))
    client.post(rack.get_absolute_url(), {"name": "Rack A", "parent": osaka.pk, "description": ""})
    rack.refresh_from_db()
    assert (rack.name, rack.parent) == ("Rack A", osaka)
    refused = client.post(osaka.get_absolute_url(), {"name": "Osaka", "parent": rack.pk})
    assert refused.status_code == 400
    assert AuditEntry.objects.filter(action="group.change").count() == 1


def test_the_same_name_twice_in_one_place_is_refused_with_words(client):
    make_group("Tokyo")
    client.force_login(make_user("administrator"))
    refused = client.post(ADD, {"name": "Tokyo", "parent": root_group().pk})
    assert refused.status_code == 400
    assert "A group of this name stands there already." in refused.content.decode()


def test_a_group_that_holds_something_stays(client):
    tokyo = make_group("Tokyo")
    make_component("web-1", tokyo)
    client.force_login(make_user("administrator"))
    kept = client.post(reverse("groups:remove", args=[tokyo.pk]), follow=True)
    assert "web-1" in kept.content.decode()
    assert Group.objects.filter(pk=tokyo.pk).exists()
    tokyo.components.all().delete()
    client.post(reverse("groups:remove", args=[tokyo.pk]))
    assert not Group.objects.filter(pk=tokyo.pk).exists()

"""What one administrator does not undo the other's work by an old page, and what goes with a removal is kept."""

import pytest
from django.test import Client

from apps.access.models import Grant, Role, SignInRule
from apps.access.services import tokens
from apps.accounts.models import Directory, DirectoryGroup, Team, User
from apps.accounts.services import teams, users
from apps.accounts.services.directories import configuring, mapping
from apps.core import options
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.models import AuditEntry
from apps.groups import services as groups
from tests.factories import make_group, make_user, root_group

pytestmark = pytest.mark.django_db


def shown(form) -> dict[str, object]:
    """Give what a browser sends of a form in which nothing was changed."""
    sent = {}
    for bound in form:
        value = bound.value()
        if value not in (None, False):
            sent[bound.html_name] = value
        assert 'type="hidden"' in str(bound.as_hidden(only_initial=True))
        sent[bound.html_initial_name] = "" if value is None else value
    return sent


def disabled_meanwhile(user: User) -> None:
    users.change(User.objects.get(pk=user.pk), {"is_active": False}, SYSTEM)


def test_an_old_page_enables_nobody_again():
    mallory, anna = make_user("viewer", username="mallory"), Client()
    anna.force_login(make_user("administrator", username="anna"))
    path = f"/access/users/{mallory.pk}/"
    page = anna.get(path)
    assert 'name="initial-is_active" value="True"' in page.content.decode()
    sent = shown(page.context["form"]) | {"what": "user", "email": "m@example.net"}
    disabled_meanwhile(mallory)
    refused = anna.post(path, {**sent, "email": "nonsense"})
    assert refused.status_code == 400
    assert 'name="initial-is_active" value="True"' in refused.content.decode()  # still what she was shown
    assert anna.post(path, sent).status_code == 302
    mallory.refresh_from_db()
    assert (mallory.is_active, mallory.email) == (False, "m@example.net")
    sent = shown(anna.get(path).context["form"]) | {"what": "user", "is_active": "on"}
    assert anna.post(path, sent).status_code == 302
    mallory.refresh_from_db()
    assert mallory.is_active


@pytest.mark.urls("esm.classic_urls")
def test_an_old_page_of_classic_mode_enables_nobody_again():
    mallory, anna = make_user("viewer", username="mallory"), Client()
    anna.force_login(make_user("administrator", username="anna", is_staff=True))
    path = f"/accounts/user/{mallory.pk}/change/"
    page = anna.get(path)
    assert 'name="initial-is_active" value="True"' in page.content.decode()
    sent = shown(page.context["adminform"].form) | {"email": "m@example.net"}
    disabled_meanwhile(mallory)
    assert anna.post(path, sent).status_code == 302
    mallory.refresh_from_db()
    assert (mallory.is_active, mallory.email) == (False, "m@example.net")


def test_the_audit_keeps_what_goes_with_a_removal():
    operator, tokyo = Role.objects.get(name="operator"), make_group("Tokyo")
    vera = make_user("viewer", username="vera")
    token = tokens.create(vera, "nightly", SYSTEM).token
    SignInRule.objects.create(user=vera, networks=["192.0.2.0/24"])
    night = Team.objects.create(name="night")
    night.members.add(vera)
    directory = Directory.objects.create(name="Head", servers=["ldap.example.net"], search_base="dc=x", enabled=False)
    admins, guests = (
        DirectoryGroup.objects.create(directory=directory, dn=f"cn={name}", key=f"cn={name}", name=name)
        for name in ("admins", "guests")
    )
    for holder in ({"team": night}, {"directory_group": admins}, {"directory_group": guests}, {"user": vera}):
        Grant.objects.create(**holder, role=operator, group=tokyo)
    gone = make_group("Osaka")
    Grant.objects.create(team=night, role=operator, group=gone)
    groups.remove(gone, SYSTEM)
    users.remove(vera, SYSTEM)
    teams.remove(night, SYSTEM)
    mapping.remove(admins, SYSTEM)
    configuring.remove(directory, SYSTEM)
    kept = {entry.action: entry.before for entry in AuditEntry.objects.filter(action__endswith=".remove")}
    assert kept["group.remove"]["grants"] == ["night: operator"]
    assert kept["user.remove"]["grants"] == [f"viewer · {root_group()}", "operator · Tokyo"]
    assert kept["user.remove"]["tokens"] == [f"nightly ({token.prefix}…)"]
    assert kept["user.remove"]["networks"] == ["192.0.2.0/24"]
    assert kept["user.remove"]["teams"] == ["night"]
    assert kept["team.remove"]["grants"] == ["operator · Tokyo"]
    assert kept["directory-group.remove"]["grants"] == ["operator · Tokyo"]
    assert kept["directory.remove"]["grants"] == ["guests: operator · Tokyo"]


@pytest.mark.parametrize("raw", ["--5", "9" * 4500, "9" * 19, "-", "٣"])
def test_what_is_no_number_is_refused_with_a_sentence(raw):
    client = Client()
    client.force_login(make_user("administrator", username="anna"))
    sent = {"value": raw}
    answer = client.patch("/api/v1/options/auto_logout/", sent, content_type="application/json")
    assert answer.status_code == 400
    assert "Enter a whole number." in answer.content.decode()
    with pytest.raises(Exception, match="Enter a whole number"):
        options.set_value("auto_logout", raw, Actor(ActorKind.COMMAND, "root"))

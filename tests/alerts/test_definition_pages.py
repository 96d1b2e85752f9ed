"""The pages of alert definitions, as people of different rights meet them."""

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.alerts.models import AlertDefinition
from apps.alerts.services import definitions
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry, Job
from tests.alerts.test_definitions import FAN, LINK_DOWN, arrive, binding
from tests.factories import make_component, make_group, make_user
from tests.statements import statements_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]

LIST = "/alert-definitions/"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def _no_figures_of_other_tests():
    cache.clear()


def signed_in(role: str | None = "administrator", group=None, **fields) -> Client:
    client = Client(REMOTE_ADDR="127.0.0.1")
    client.force_login(make_user(role, group, **fields))
    return client


def keys_of(answer) -> list[str]:
    return [row.definition.key for row in answer.context["page"].object_list]


def form_of(answer, **changes) -> dict[str, str]:
    """Give what a browser would send of the form as it is, with some fields filled in anew."""
    shown = {name: value for name, value in answer.context["form"].initial.items() if value not in (False, None)}
    return {**{name: "on" if value is True else value for name, value in shown.items()}, **changes}


def page_of(key: str) -> str:
    return AlertDefinition.objects.get(key=key).get_absolute_url()


def test_the_list_is_searched_in_both_languages_and_filtered():
    client = signed_in()
    arrive(LINK_DOWN)
    answer = client.get(LIST)
    assert keys_of(answer)[0] == "linkDown"  # the only one that was seen
    assert (answer.context["total"], answer.context["own"]) == (AlertDefinition.objects.count(), 0)
    assert keys_of(client.get(LIST, {"q": "upsalarm"})) == []
    assert keys_of(client.get(LIST, {"q": "1.3.6.1.2.1.33.2.3"})) == ["ups.alarm"]
    assert set(keys_of(client.get(LIST, {"family": "UPS", "severity": "critical"}))) == {
        "ups.alarm",
        "ups.test-completed",
    }
    definitions.create(FAN, SYSTEM)
    definitions.set_enabled(AlertDefinition.objects.get(key="linkUp"), False, SYSTEM)
    assert keys_of(client.get(LIST, {"state": "own"})) == ["own.fan"]
    assert keys_of(client.get(LIST, {"state": "off"})) == ["linkUp"] == keys_of(client.get(LIST, {"state": "changed"}))
    client.post("/preferences/language/", {"language": "ja"})
    japanese = client.get(LIST, {"q": "リンクダウン"}, headers={"accept-language": "ja"})
    assert "linkDown" in keys_of(japanese)
    assert client.get(LIST, {"severity": "nonsense", "page": "x"}).status_code == 200


def test_the_list_costs_the_same_for_many():
    client = signed_in()

    def cost() -> int:  # the least of some, because what is remembered is asked for again every few seconds
        return min(statements_of(lambda: client.get(LIST)) for _ in range(3))

    few = cost()
    for number in range(30):
        definitions.create({**FAN, "name": f"Fan {number}", "trap_oid": f"1.3.6.1.4.1.99999.0.{number}"}, SYSTEM)
        arrive(f"1.3.6.1.4.1.99998.0.{number}")
    assert cost() <= few


def test_a_change_is_saved_and_told():
    client = signed_in(username="Mori")
    url = page_of("linkDown")
    sent = form_of(client.get(url), severity="critical", title="%(object)s is dead")
    answer = client.post(url, sent, follow=True)
    assert "The definition was saved. New alerts follow it within 5 seconds." in answer.content.decode()
    link_down = AlertDefinition.objects.get(key="linkDown")
    assert (link_down.severity, link_down.title, link_down.changes) == (
        "critical",
        "%(object)s is dead",
        ["severity", "title"],
    )
    assert link_down.bindings == link_down.made["bindings"]  # what nobody touched came back as it was
    assert AuditEntry.objects.get(action="alert-definition.change").actor_name == "Mori"
    page = client.get(url)
    assert list(page.context["changed"]) == ["severity", "title"]
    client.post(f"{url}restore/")
    assert AlertDefinition.objects.get(key="linkDown").changes == []


@pytest.mark.parametrize(
    "key", ["ups.alarm", "hpe.drive", "comware.radius-down", "apc.contact-fault", "mteTriggerFired"]
)
def test_saving_the_form_as_it_is_changes_nothing(key):
    client = signed_in()
    url = page_of(key)
    assert client.post(url, form_of(client.get(url))).status_code == 302
    assert AlertDefinition.objects.get(key=key).changes == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("traps", "", "Name at least one trap."),
        ("traps", "1.3.6.1.4.1.9 9", "1.3.6.1.4.1.9 9: the generic number is from 0 to 6."),
        ("traps", "fan", "fan is neither an object identifier nor enterprise, generic and specific number."),
        ("bindings", "fan", "fan: write it as name = value."),
        ("words", "fan = left", "fan = left: write it as binding, value = word."),
        ("cases", "3", "3: write it as value = severity, or &gt;= limit = severity."),
        ("cases", "3 = bad", "There is no severity bad."),
        ("title", "%(van)s", "Nothing fills the place van: no binding has this name."),
        ("clears", "own.van", "There is no definition own.van."),
        ("name", "", "This field is required."),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(field, value, said):
    client = signed_in()
    made = definitions.create({**FAN, "severity_by": {"binding": "fan", "values": {"1": "warning"}}}, SYSTEM)
    sent = form_of(client.get(made.get_absolute_url()), **{field: value, "remedy": "Look at it."})
    answer = client.post(made.get_absolute_url(), sent)
    text = answer.content.decode()
    assert answer.status_code == 400
    assert said in text
    assert "Look at it." in text
    made.refresh_from_db()
    assert made.remedy == ""


def test_a_definition_is_made_by_version_1_numbers():
    client = signed_in()
    sent = {"name": "Fan", "severity": "critical", "title": "Fan %(fan)s failed", "traps": "1.3.6.1.4.1.99999 6 7"}
    sent |= {"bindings": "fan = #1", "object": "fan", "severity_binding": "fan", "cases": ">= 3 = warning\n9 = normal"}
    answer = client.post(f"{LIST}new/", {**sent, "words": "fan 1 = left fan", "enabled": "on", "counts": "on"})
    made = AlertDefinition.objects.get(key="own.fan")
    assert answer["Location"] == made.get_absolute_url()
    assert made.trap_oid == "1.3.6.1.4.1.99999.0.7"
    assert made.severity_by == {"binding": "fan", "values": {"9": "normal"}, "from": {"3": "warning"}}
    assert made.words == {"fan": {"1": "left fan"}}
    assert str(arrive("1.3.6.1.4.1.99999.0.7", binding("1.3.6.1.4.1.99999.2", 1)).title) == "Fan left fan failed"


def test_a_definition_is_made_from_an_unmatched_alert():
    client = signed_in()
    sent = (binding("1.3.6.1.4.1.99999.5.1.0", 3), binding("1.3.6.1.2.1.2.2.1.2.4", "eth4", "Octet string"))
    alert = arrive("1.3.6.1.4.1.99999.0.7", *sent)
    drawer = client.get(alert.get_absolute_url()).content.decode()
    assert f"/alert-definitions/new/?alert={alert.pk}" in drawer
    answer = client.get(f"{LIST}new/?alert={alert.pk}")
    initial = answer.context["form"].initial
    assert initial["traps"] == "1.3.6.1.4.1.99999.0.7"
    assert initial["bindings"] == "value1 = #1\ndescription = 1.3.6.1.2.1.2.2.1.2"
    assert initial["detail"] == "value1: %(value1)s, description: %(description)s"
    client.post(f"{LIST}new/?alert={alert.pk}", form_of(answer, name="Fan", title="Fan of %(description)s"))
    assert str(arrive("1.3.6.1.4.1.99999.0.7", *sent).title) == "Fan of eth4"
    known = arrive(LINK_DOWN)
    assert "/alert-definitions/new/" not in client.get(known.get_absolute_url()).content.decode()


def test_a_draft_is_tried_without_being_saved():
    client = signed_in()
    arrive(LINK_DOWN, binding("1.3.6.1.2.1.2.2.1.1.4", 4), component=make_component("sw-01"))
    url = page_of("linkDown")
    sent = {**form_of(client.get(url), severity="critical"), "try": "1"}
    part = client.post(url, sent, **HTMX)
    assert part.status_code == 200
    assert part.templates[0].name == "definitions/_replay.html"
    assert [(line.what, line.severity, line.before, line.after) for line in part.context["replayed"].lines] == [
        ("alerts", "", 1, 1),
        ("severity", "critical", 0, 1),
        ("severity", "warning", 1, 0),
        ("problems", "", 1, 1),
    ]
    assert client.post(url, sent).templates[0].name == "definitions/definition.html"
    assert client.post(url, {**sent, "title": ""}, **HTMX).status_code == 400
    assert AlertDefinition.objects.get(key="linkDown").severity == "warning"
    assert not AuditEntry.objects.filter(action__startswith="alert-definition").exists()


def test_two_definitions_of_one_trap_are_settled():
    client = signed_in()
    mine = definitions.create({**FAN, "trap_oid": LINK_DOWN, "bindings": {"fan": "#1"}}, SYSTEM)
    assert "Several definitions of one trap" in client.get(LIST).content.decode()
    link_down = AlertDefinition.objects.get(key="linkDown")
    ids = {"kept": link_down.pk, "goes": mine.pk}
    client.post(f"{LIST}settle/", {**ids, "how": "merge"})
    assert AlertDefinition.objects.get(key="linkDown").title == "Fan %(fan)s failed"
    assert "Several definitions of one trap" not in client.get(LIST).content.decode()
    definitions.set_enabled(mine, True, SYSTEM)
    client.post(f"{LIST}settle/", ids)
    assert not AlertDefinition.objects.get(pk=mine.pk).enabled


def test_a_file_is_looked_at_then_taken():
    client = signed_in()
    text = "definitions: {x.fan: {name: Fan, trap_oid: 1.3.6.1.4.1.9.7, severity: warning, title: Fan failed}}"
    answer = client.post(f"{LIST}import/", {"file": SimpleUploadedFile("fans.yaml", text.encode())})
    assert [(entry.key, entry.outcome) for entry in answer.context["plan"].entries] == [("own.x.fan", "new")]
    assert not AlertDefinition.objects.own().exists()
    taken = client.post(
        f"{LIST}import/", {"text": answer.context["source"], "title": "fans.yaml", "take": "1"}, follow=True
    )
    assert "1 definitions were made, 0 changed." in taken.content.decode()
    assert AlertDefinition.objects.get(key="own.x.fan").title == "Fan failed"
    assert AuditEntry.objects.get(action="alert-definition.import").object_name == "fans.yaml"

    bad = client.post(f"{LIST}import/", {"text": "definitions: {x: {name: Fan}}"})
    assert bad.status_code == 400
    assert "x: severity: This is needed." in bad.content.decode()
    assert client.post(f"{LIST}import/", {"file": SimpleUploadedFile("x", b"\xff\xfe\x00")}).status_code == 400
    assert client.post(f"{LIST}import/", {}).status_code == 400


def test_the_export_is_a_file_that_comes_back():
    client = signed_in()
    definitions.create(FAN, SYSTEM)
    answer = client.get(f"{LIST}export/?which=own")
    assert "attachment" in answer["Content-Disposition"]
    plan = client.post(f"{LIST}import/", {"text": answer.content.decode()}).context["plan"]
    assert [(entry.key, entry.outcome) for entry in plan.entries] == [("own.fan", "same")]
    assert client.get(f"{LIST}export/").content.count(b"\n  linkDown:") == 1
    assert client.get(f"{LIST}export/?key=linkDown").content.startswith(b"definitions:\n  linkDown:")
    assert client.get(f"{LIST}export/?key=nothing").status_code == 404


def test_a_definition_is_switched_removed_and_applied(monkeypatch):
    monkeypatch.setattr("apps.alerts.tasks.run_reapply.apply_async", lambda *args, **options: None)
    client = signed_in()
    made = definitions.create(FAN, SYSTEM)
    url = made.get_absolute_url()
    client.post(f"{url}enabled/", {"enabled": "0"})
    assert not AlertDefinition.objects.get(pk=made.pk).enabled
    client.post(f"{url}enabled/", {"enabled": "1"})
    job = client.post(f"{url}apply/")
    assert job["Location"] == Job.objects.get(kind="reapply-definition").get_absolute_url()
    assert client.get(job["Location"]).status_code == 200
    client.post(f"{url}remove/")
    assert not AlertDefinition.objects.own().exists()
    refused = client.post(f"{page_of('linkDown')}remove/", follow=True).content.decode()
    assert "This definition comes with the portal. Switch it off instead." in refused


def test_who_may_only_look_sees_no_button_and_changes_nothing():
    tokyo = make_group("Tokyo")
    made = definitions.create(FAN, SYSTEM)
    before = list(AlertDefinition.objects.values())
    for client in (signed_in("viewer", tokyo), signed_in("operator"), signed_in("administrator", tokyo)):
        page = client.get(made.get_absolute_url())
        assert page.status_code == 200
        assert '<fieldset class="cols2" disabled>' in " ".join(page.content.decode().split())
        assert client.get(LIST).status_code == 200
        posts = [made.get_absolute_url(), f"{LIST}new/", f"{LIST}import/", f"{LIST}settle/"]
        posts += [f"{made.get_absolute_url()}{verb}/" for verb in ("enabled", "restore", "remove", "apply")]
        for url in posts:
            assert client.post(url, {"name": "x", "kept": made.pk, "goes": made.pk}).status_code == 403, url
        assert client.get(f"{LIST}new/").status_code == 403
    assert list(AlertDefinition.objects.values()) == before
    assert signed_in(None).get(LIST).status_code == 403


def test_a_definition_is_not_made_from_an_alert_of_others():
    tokyo = make_group("Tokyo")
    alert = arrive("1.3.6.1.4.1.99999.0.7", component=make_component("hidden", tokyo))
    client = signed_in("administrator", make_group("Osaka"))
    assert client.get(f"{LIST}new/?alert={alert.pk}").status_code == 403
    whole = signed_in()
    assert whole.get(f"{LIST}new/?alert={alert.pk}").status_code == 200
    assert whole.get(f"{LIST}new/?alert=nothing").status_code == 404


def test_counts_and_unknown_traps_are_those_that_one_may_see():
    tokyo = make_group("Tokyo")
    arrive(LINK_DOWN, component=make_component("t", tokyo))
    arrive(LINK_DOWN, component=make_component("o"))
    arrive("1.3.6.1.4.1.99999.0.7", component=make_component("t2", tokyo))
    arrive("1.3.6.1.4.1.99999.0.8", component=make_component("o2"))
    answer = signed_in("viewer", tokyo).get(LIST, {"q": "linkDown"})
    assert {row.definition.key: row.seen for row in answer.context["page"].object_list}["linkDown"] == 1
    assert [(row.trap_oid, row.number) for row in answer.context["unknown"]] == [("1.3.6.1.4.1.99999.0.7", 1)]
    assert answer.context["unmatched"] == 1

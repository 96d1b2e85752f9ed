"""Every form of every page: whatever is typed in, the portal answers and never breaks."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from apps.access.models import Role
from apps.alerts.models import Incident
from apps.alerts.services import catalogue, raise_alert
from apps.core.models import Job
from tests.factories import (
    make_component,
    make_credential,
    make_group,
    make_interface,
    make_user,
    root_group,
    ship_definitions,
)

pytestmark = pytest.mark.django_db

HUGE = "9" * 40
GARBAGE = ["\x00", "x" * 100_000, HUGE, "-1", "9" * 5000, "\U0001f600<script>'\"; DROP TABLE --", "\u0663\u202e"]
QUERIES = ("%00", "-1", HUGE, "%ff%fe", "x" * 5000, "%F0%9F%98%80%22%27%3Cscript%3E")
# Pages with forms.
GUARDED = [
    "/components/add/",
    "/components/{component}/edit/",
    "/components/credentials/add/?kind=snmp-community",
    "/components/credentials/add/?kind=snmp-v3",
    "/components/credentials/add/?kind=password",
    "/components/credentials/{credential}/",
    "/groups/add/",
    "/groups/{group}/",
    "/access/users/new/",
    "/access/users/{user}/",
    "/access/roles/new/",
    "/access/roles/{role}/",
    "/access/addresses/",
]
OWN = ["/access/tokens/", "/preferences/", "/password/"]
# Addresses that only take what a form sends.
ACTIONS = [
    "/components/{component}/remove/",
    "/components/{component}/join/",
    "/components/{component}/manage/",
    "/components/{component}/check/",
    "/components/{component}/refresh/",
    "/components/credentials/{credential}/remove/",
    "/groups/{group}/remove/",
    "/access/users/{user}/remove/",
    "/access/roles/{role}/remove/",
    "/jobs/{job}/cancel/",
    "/alerts/{alert}/assign/",
]
LISTS = ["/components/bulk/", "/alerts/acknowledge/", "/alerts/close/"]
NAMED = re.compile(r"\{(\w+)\}")


@dataclass
class Form:
    """A form of a page as a browser would send it."""

    action: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


class Forms(HTMLParser):
    """Collects the forms in the main part of a page that are sent with POST."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._form: Form | None = None
        self._select = ""
        self._in_main = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note forms and their controls."""
        given = {name: value or "" for name, value in attrs}
        if tag == "main":
            self._in_main = True
        if tag == "form" and self._in_main and given.get("method", "").lower() == "post":
            self._form = Form(given.get("action", ""))
            self.found.append(self._form)
        if self._form is None:
            return
        name = given.get("name", "")
        if tag == "select":
            self._select = name
            self._form.fields.setdefault(name, "")
        elif tag == "option" and self._select and "selected" in given:
            self._form.fields[self._select] = given.get("value", "")
        elif tag == "textarea" and name:
            self._form.fields.setdefault(name, "")
        elif tag == "input" and name and name != "csrfmiddlewaretoken":
            boxes = given.get("type") in {"checkbox", "radio"}
            if not boxes or "checked" in given:
                self._form.fields[name] = given.get("value", "on" if boxes else "")
            else:
                self._form.fields.setdefault(name, "")

    def handle_endtag(self, tag: str) -> None:
        """Leave what ends."""
        if tag == "main":
            self._in_main = False
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = ""


@pytest.fixture
def ids() -> Iterator[dict[str, int]]:
    """Something for each address to name."""
    ship_definitions()
    group = make_group("Forms")
    component = make_component("formed", group)
    make_interface(component, credential=make_credential(group=group))
    alert = raise_alert("portal.access-lost", component=component)
    role = Role.objects.create(name="spare", permissions=["view"])
    job = Job.objects.create(kind="check", created_by_name="somebody")
    yield {
        "component": component.pk,
        "credential": make_credential(group=group, name="loose").pk,
        "group": make_group("Emptied").pk,
        "user": make_user("viewer", username="somebody").pk,
        "role": role.pk,
        "alert": alert.pk,
        "incident": alert.incident_id or 0,
        "job": job.pk,
    }
    catalogue.forget()


@pytest.fixture
def admin(client: Client) -> Client:
    """A signed-in administrator."""
    client.force_login(make_user("administrator", username="boss"))
    return client


def forms_of(client: Client, url: str) -> list[Form]:
    """Give the forms of a page."""
    page = client.get(url)
    assert page.status_code == 200, (url, page.status_code)
    parser = Forms()
    parser.feed(page.content.decode())
    return parser.found


def answered(client: Client, url: str, fields: dict[str, Any], what: str) -> int:
    """Send a form; an exception in the view fails the test with its stack."""
    answer = client.post(url, fields)
    assert answer.status_code in {200, 302, 400, 403, 404, 405, 409}, (url, what, answer.status_code)
    return int(answer.status_code)


@pytest.mark.parametrize("page", [*GUARDED, *OWN])
def test_nothing_typed_into_any_field_breaks_a_page(admin: Client, ids: dict[str, int], page: str) -> None:
    url = page.format(**ids)
    forms = forms_of(admin, url)
    assert forms, "the page has a form"
    turns = itertools.cycle(GARBAGE)
    for form in forms:
        target = form.action or url
        for name, value in form.fields.items():
            for garbage in itertools.islice(turns, 2):  # the fields of a page together get all of them
                answered(admin, target, {**form.fields, name: garbage}, f"{name}={garbage[:20]!r}")
            answered(admin, target, {**form.fields, name: [value, value, "x"]}, f"{name} three times")
        answered(admin, target, {}, "nothing")


@pytest.mark.parametrize("page", [*GUARDED, *OWN])
def test_a_form_full_of_null_characters_is_refused_with_its_errors(
    admin: Client, ids: dict[str, int], page: str
) -> None:
    url = page.format(**ids)
    refused = 0
    for form in forms_of(admin, url):
        kept = {"what", "interfaces", "id", "kind"}
        sent = {name: value if name in kept else "\x00" for name, value in form.fields.items()}
        if set(sent) <= kept:
            continue
        answer = admin.post(form.action or url, sent)
        assert answer.status_code == 400, (form.action or url, sent)
        refused += 1
    assert refused


@pytest.mark.parametrize("page", [*ACTIONS, *LISTS])
def test_actions_survive_ids_and_words_that_mean_nothing(admin: Client, ids: dict[str, int], page: str) -> None:
    names = ["ids", "with", "component", "action", "group", "note", "until", "next", "filter", "scope", "confirmed"]
    url = page.format(**ids)
    for garbage in [*GARBAGE, "0", ""]:
        sent = dict.fromkeys(names, garbage)
        answered(admin, url, sent, garbage[:20])
        if page not in LISTS:
            continue
        for action in ("check", "refresh", "move", "remove"):
            some = {**sent, "action": action, "scope": "filter", "ids": [garbage, str(ids["component"]), HUGE]}
            answered(admin, url, some, garbage[:20])
            answered(admin, url, {**some, "scope": ""}, garbage[:20])


@pytest.mark.parametrize("page", [page for page in [*GUARDED, *ACTIONS] if "{" in page])
@pytest.mark.parametrize("number", ["987654", HUGE], ids=["unknown", "huge"])
def test_what_is_not_there_is_not_found(admin: Client, page: str, number: str) -> None:
    url = NAMED.sub(number, page)
    assert admin.get(url).status_code in {404, 405}
    assert admin.post(url, {"name": "x"}).status_code == 404


@pytest.mark.parametrize(
    "page", ["/", "/components/", "/alerts/", "/jobs/", "/groups/", "/access/", "/components/credentials/"]
)
def test_no_query_breaks_a_list(admin: Client, ids: dict[str, int], page: str) -> None:
    names = ("q", "page", "sort", "group", "status", "category", "before", "severity", "show", "component")
    for name, garbage in itertools.product(names, QUERIES):
        answer = admin.get(f"{page}?{name}={garbage}")
        assert answer.status_code in {200, 302, 400, 404}, (name, garbage[:20])
        assert b"\"'<script>" not in answer.content


def test_no_query_breaks_a_component(admin: Client, ids: dict[str, int]) -> None:
    for name, garbage in itertools.product(("tab", "range", "sensor", "q", "page"), QUERIES):
        answer = admin.get(f"/components/{ids['component']}/?{name}={garbage}")
        assert answer.status_code in {200, 400, 404}, (name, garbage[:20])


def test_a_viewer_takes_nothing_by_an_action_on_a_list(client: Client, ids: dict[str, int]) -> None:
    viewer = make_user("viewer", username="looks-only", group=root_group())
    client.force_login(viewer)
    client.post("/components/bulk/", {"action": "remove", "ids": [ids["component"]], "confirmed": "yes"})
    assert client.get(f"/components/{ids['component']}/").status_code == 200
    for page in ("/alerts/acknowledge/", "/alerts/close/"):
        assert client.post(page, {"ids": [ids["incident"]]}).status_code in {403, 404}
    assert Incident.objects.get(pk=ids["incident"]).state == "open"

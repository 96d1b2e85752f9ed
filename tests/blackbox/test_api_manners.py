"""What holds for every address of the API: problems, methods, media types, the way in."""

import http.client
import re
import urllib.parse

import pytest

from tests.blackbox.client import Caller, check_problem
from tests.e2e.portal import Portal

RESOURCES = [
    *("components/", "credentials/", "groups/", "drivers/", "jobs/", "alerts/", "incidents/", "users/", "roles/"),
    *(
        "grants/",
        "tokens/",
        "audit/",
        "options/",
        "suspend-periods/",
        "remote-batches/",
        "teams/",
        "directories/",
        "directory-groups/",
    ),
]
LATER = [
    *("discoveries/", "event-triggers/", "licenses/"),
    *("batch-configurations/", "update-packages/", "update-runs/", "reports/"),
]


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_list_has_the_same_envelope_and_limits(admin: Caller, resource: str) -> None:
    answer = admin.send("GET", resource)
    assert answer.status == 200
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    page = answer.body
    assert list(page) == ["count", "next", "previous", "results"]
    assert len(page["results"]) <= 100
    assert admin.get(f"{resource}?limit=1000")["count"] >= len(page["results"])
    for wrong in ("limit=1001", "limit=0", "page=0", "page=x"):
        assert admin.errors("GET", f"{resource}?{wrong}", None) == {wrong.split("=")[0]}
    assert admin.get(f"{resource}?q=zzz-nothing-is-called-so")["results"] == []
    page = admin.get(f"{resource}?limit=1")
    assert len(page["results"]) == min(page["count"], 1)
    assert (page["next"] is None) == (page["count"] <= 1)


@pytest.mark.parametrize("resource", RESOURCES)
def test_wrong_methods_media_types_and_ids_are_problems(admin: Caller, resource: str) -> None:
    assert admin.send("PUT", resource, {}).status == 405
    assert admin.send("DELETE", resource).status == 405
    assert admin.send("GET", f"{resource}987654/").status == 404
    assert admin.send("GET", f"{resource}99999999999999999999999/").status == 404
    assert admin.send("GET", f"{resource}-1/").status == 404
    if resource not in {"drivers/", "jobs/", "alerts/", "incidents/", "audit/", "options/"}:
        refused = admin.send("POST", resource, raw=b"name=x", Content_Type="application/x-www-form-urlencoded")
        assert refused.status == 415
        assert admin.send("POST", resource, raw=b"<x/>", Content_Type="application/xml").status == 415
    assert admin.send("GET", resource, Accept="text/html").status in {200, 406}


@pytest.mark.parametrize("resource", [*LATER, "", "nothing/", "components/x/", "components/1/nothing/"])
def test_what_is_not_there_is_a_problem_too(admin: Caller, resource: str) -> None:
    for method in ("GET", "POST"):
        assert admin.send(method, resource, {} if method == "POST" else None).status == 404
    assert admin.send("GET", f"/api/v2/{resource}").status == 404


def test_null_characters_and_odd_octets_in_addresses_are_no_fault_of_ours(admin: Caller) -> None:
    for resource in RESOURCES:
        assert admin.send("GET", f"{resource}?q=%00").status in {200, 400}
        assert admin.send("GET", f"{resource}?q=%ff%fe").status in {200, 400}
        assert admin.send("GET", f"{resource}?q={'x' * 5000}").status in {200, 400}
        assert admin.send("GET", f"{resource}?name=%00").status in {200, 400}
    assert admin.send("GET", "options/%00/").status == 404
    assert admin.send("GET", "drivers/%00/").status == 404


def test_a_very_long_body_is_refused(admin: Caller) -> None:
    huge = b'{"name": "' + b"x" * 3_000_000 + b'"}'
    answer = admin.send("POST", "components/", raw=huge)
    assert answer.status == 413


def answer_of(portal: Portal, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
    """Ask without following anything."""
    where = urllib.parse.urlsplit(portal.url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=20)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return connection.getresponse()


def test_the_way_in_for_people(portal: Portal) -> None:
    old = answer_of(portal, "GET", "/esmpro/Login/index")
    assert old.status == 302
    assert urllib.parse.urlsplit(old.headers["Location"]).path == "/login/"
    page = answer_of(portal, "GET", "/login/?next=/alerts/").read().decode()
    form = page[page.index('name="username"') :]
    assert 'name="password"' in form
    assert page.index("<form") < page.index('name="username"')
    assert answer_of(portal, "GET", "/healthz").status == 200
    for protected in ("/", "/components/", "/alerts/"):
        answer = answer_of(portal, "GET", protected)
        assert answer.status == 302
        assert answer.headers["Location"].startswith("/login/?next=")


def test_static_names_are_hashed_and_cookies_carry_the_port(portal: Portal) -> None:
    answer = answer_of(portal, "GET", "/login/")
    page = answer.read().decode()
    names = re.findall(r'(?:src|href)="(/static/[^"#?]+)', page)
    assert len(names) >= 2
    for name in names:
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", name), name
        file = answer_of(portal, "GET", name)
        assert file.status == 200, name
        assert "immutable" in file.headers["Cache-Control"], name
    cookies = [value.split("=")[0] for value in answer.headers.get_all("Set-Cookie") or []]
    assert cookies
    assert all(name.endswith(f"_{portal.http_port}") for name in cookies), cookies
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy


def test_a_token_opens_no_page(portal: Portal, admin: Caller) -> None:
    answer = answer_of(portal, "GET", "/components/", Authorization=f"Bearer {admin.token}")
    assert answer.status == 302


def test_the_description_is_open_api_3(admin: Caller) -> None:
    schema = admin.get("/api/schema/?format=json")
    assert schema["openapi"].startswith("3.")
    assert {f"/api/v1/{name}" for name in RESOURCES} <= set(schema["paths"])
    assert not {f"/api/v1/{name}" for name in LATER} & set(schema["paths"])


def test_a_request_that_is_too_large_for_a_page_number_is_a_problem(admin: Caller) -> None:
    answer = admin.send("GET", f"components/?page={'9' * 30}")
    assert answer.status == 400
    check_problem(answer)

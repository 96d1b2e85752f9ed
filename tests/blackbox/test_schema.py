"""The API's description: complete, valid, served, and shown without a file of another host."""

import re

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.description import description
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(client: Client) -> Client:
    """Somebody who may look."""
    client.force_login(make_user("viewer"))
    return client


def test_it_is_made_without_a_warning_and_is_valid_open_api(capsys: pytest.CaptureFixture[str]) -> None:
    reset_generator_stats()
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    complaints = [capsys.readouterr().err, *GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
    assert not any(complaints), "\n".join(map(str, complaints))
    assert len(schema["paths"]) > 20


def test_the_command_says_the_same(tmp_path) -> None:
    file = tmp_path / "schema.yml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(file))
    assert file.read_text().startswith("openapi: 3.")


def test_every_operation_says_what_it_answers() -> None:
    schema = description()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["responses"], (path, method)
            assert "discoveries" not in path.split("/"), path


def test_lists_are_described_with_their_envelope_and_parameters() -> None:
    schema = description()
    components = schema["paths"]["/api/v1/components/"]["get"]
    assert {"page", "limit", "q", "status", "group"} <= {one["name"] for one in components["parameters"]}
    reference = components["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/")[-1]
    assert set(schema["components"]["schemas"][reference]["properties"]) == {"count", "next", "previous", "results"}
    accepted = schema["paths"]["/api/v1/components/{id}/check/"]["post"]["responses"]
    assert "202" in accepted


def test_it_is_served_to_who_has_signed_in(viewer: Client) -> None:
    assert viewer.get("/api/schema/").status_code == 200
    assert viewer.get("/api/schema/?format=json").json()["openapi"].startswith("3.")


def test_its_page_loads_nothing_from_elsewhere_under_the_strict_policy(viewer: Client) -> None:
    page = viewer.get("/api/docs/")
    text = page.content.decode()
    policy = page["Content-Security-Policy"]
    assert page.status_code == 200
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert loaded
    assert [address for address in loaded if not address.startswith("/")] == []
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", text) == []

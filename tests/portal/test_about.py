"""What runs here: every library with its licence, and headings that mean the same in either language."""

import re

import pytest

from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_every_library_names_its_licence(client):
    client.force_login(make_user("administrator"))
    libraries = {one.name: one.licence for one in client.get("/about/").context["libraries"]}
    assert [name for name, licence in libraries.items() if not licence] == []
    assert libraries["Django"] == "BSD-3-Clause"
    assert libraries["pysnmp"] == "BSD-2-Clause"  # it tells so in the text of its licence only


def test_the_processes_of_the_portal_are_no_number_in_japanese(client):
    client.force_login(make_user("administrator", language="ja"))
    page = client.get("/about/").content.decode()
    assert re.search(r'<h2 id="processes-h">([^<]*)</h2>', page)[1] == "プロセス"

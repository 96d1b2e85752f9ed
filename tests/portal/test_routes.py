"""No page is forgotten: each is looked at in a browser, or stands on a list that says why not."""

import re

import pytest
from django.test import Client
from django.urls import resolve, reverse

from tests.e2e.test_pages import PAGES
from tests.factories import make_user
from tests.routes import ACTS, BEFORE_SIGN_IN, DATA, OF_DEVICES, PARTS, routes


def test_every_page_is_looked_at_in_a_browser():
    paths = (re.sub(r"\{\w+\}", "1", path.partition("?")[0]) for path in PAGES)
    looked_at = {resolve(path).view_name for path in paths}
    known = {name for name, _parameters in routes()}
    others = ACTS | DATA | PARTS | BEFORE_SIGN_IN | OF_DEVICES
    assert sorted(known - looked_at - others) == []
    assert sorted(others - known) == []  # no route that is gone
    assert sorted(looked_at & others) == []


@pytest.mark.django_db
def test_what_is_only_posted_to_says_so():
    client = Client(REMOTE_ADDR="127.0.0.1")
    client.force_login(make_user("administrator"))
    for name, parameters in routes():
        if name in ACTS:
            answer = client.get(reverse(name, kwargs=dict.fromkeys(parameters, 1)))
            assert (name, answer.status_code) == (name, 405)

"""The environment settings: found, set, reset one by one; nothing is lost by an error, nothing told to others."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from apps.core import options
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry, OptionValue
from tests.factories import make_group, make_user

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}


@pytest.fixture
def anna(client: Client) -> Client:
    client.force_login(make_user("administrator", username="anna"))
    return client


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_every_declared_option_has_a_line_with_range_and_default(anna):
    page = text(anna.get("/settings/"))
    for option in options.all_options():
        assert f'<li id="{option.name}">' in page
    assert "60 to 86,400" in page
    assert "0, or 60 to 86,400" in page
    assert "default 600" in page
    assert "one of: 1.0, 1.1, 1.2, 1.3" in page
    assert page.count("after a restart") == 4  # the ports


def test_settings_are_found_by_words_and_by_being_changed(anna):
    found = text(anna.get("/settings/", {"q": "LONGEST pass"}))
    assert 'id="password_max_length"' in found
    assert 'id="auto_logout"' not in found
    options.set_value("auto_logout", 20, SYSTEM)
    changed = text(anna.get("/settings/", {"changed": "true"}))
    assert 'id="auto_logout"' in changed
    assert 'id="session_hours"' not in changed
    assert "No setting matches" in text(anna.get("/settings/", {"q": "nothing of that kind"}))


def test_an_option_is_set_and_set_back_and_says_by_whom(anna):
    line = text(anna.post("/settings/auto_logout/", {"value": "20"}, headers=PART))
    assert line.startswith('<li id="auto_logout">')  # the other lines stay as they are in the browser
    assert "Saved." in line
    assert "by anna" in line
    assert options.get("auto_logout") == 20
    line = text(anna.post("/settings/auto_logout/reset/", headers=PART))
    assert "Set back to the default." in line
    assert 'value="30"' in line
    assert not OptionValue.objects.exists()
    acts = AuditEntry.objects.order_by("pk").values_list("action", "object_type", "object_id", "before", "after")
    about = ("core.optionvalue", "auto_logout")
    assert list(acts) == [
        ("option.set", *about, {"value": 30}, {"value": 20}),
        ("option.reset", *about, {"value": 20}, {"value": 30}),
    ]
    history = text(anna.get("/settings/auto_logout/history/", headers=PART))
    assert history.index("Option set back to its default") < history.index("<del>30</del>")
    anna.post("/settings/auto_logout/reset/", headers=PART)
    assert AuditEntry.objects.count() == 2  # nothing was there to set back


def test_without_scripts_it_works_as_well(anna):
    answer = anna.post("/settings/trap_v1/", {"value": "false"})
    assert answer["Location"] == "/settings/#trap_v1"
    assert options.get("trap_v1") is False
    refused = anna.post("/settings/auto_logout/", {"value": "soon"})
    assert refused.status_code == 400
    assert 'value="soon"' in text(refused)
    assert "Enter a whole number." in text(refused)


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("auto_logout", "0", "Enter a number from 1 to 1440."),
        ("auto_logout", "١٢", "Enter a whole number."),
        ("trap_v1", "perhaps", "Enter true or false."),
        ("tls_minimum", "0.9", "Choose one of: 1.0, 1.1, 1.2, 1.3."),
        ("password_max_length", "16", ""),
    ],
)
def test_what_is_refused_keeps_what_was_typed(anna, name, typed, sentence):
    if name == "password_max_length":
        options.set_value("password_min_length", 20, SYSTEM)
        sentence = "The shortest password is 20 characters long."
    before = options.get(name)
    answer = anna.post(f"/settings/{name}/", {"value": typed}, headers=PART)
    assert answer.status_code == 400
    assert sentence in text(answer)
    if name not in {"trap_v1", "tls_minimum"}:
        assert f'value="{typed}"' in text(answer)
    assert options.get(name) == before
    assert not AuditEntry.objects.filter(object_id=name).exists()


def test_a_default_that_is_no_longer_allowed_is_not_set_back(anna, monkeypatch):
    taken = set()

    def check(value: int) -> None:
        if value in taken:
            raise ValidationError("Another program holds this port.")

    option = options.Option("test_port", int, 1, "Port", minimum=1, maximum=65535, check=check)
    monkeypatch.setitem(options.registry._entries, "test_port", option)
    options.set_value("test_port", 2, SYSTEM)
    taken.add(1)
    line = anna.post("/settings/test_port/reset/", headers=PART)
    assert line.status_code == 400
    assert "Another program holds this port." in text(line)
    assert anna.post("/api/v1/options/test_port/reset/", {}, "application/json").status_code == 409
    assert options.get("test_port") == 2
    assert not AuditEntry.objects.filter(action="option.reset").exists()


def test_a_warning_stands_at_its_option(anna):
    line = text(anna.post("/settings/password_min_length/", {"value": "6"}, headers=PART))
    assert "Passwords of fewer than 12 characters are guessed quickly." in line


def test_what_the_environment_decides_is_only_shown(anna, monkeypatch):
    monkeypatch.setenv("ESM_HTTP_PORT", "8443")
    page = text(anna.get("/settings/http_port/", headers=PART))
    assert "decided by ESM_HTTP_PORT in the environment" in page
    assert "disabled" in page
    assert "Save" not in page
    for act in ("", "reset/"):
        answer = anna.post(f"/settings/http_port/{act}", {"value": "9000"}, headers=PART)
        assert answer.status_code == 400
    assert not OptionValue.objects.exists()


def test_a_secret_is_shown_only_when_somebody_asks_and_that_is_written_down(anna):
    options.set_value("trap_communities", ["hidden-word"], SYSTEM)
    assert "hidden-word" not in text(anna.get("/settings/"))
    assert "hidden-word" not in text(anna.get("/settings/trap_communities/history/"))
    assert not AuditEntry.objects.filter(action="option.read").exists()
    assert "hidden-word" in text(anna.get("/settings/trap_communities/", headers=PART))
    assert AuditEntry.objects.get(action="option.read").object_name == "trap_communities"
    line = text(anna.post("/settings/trap_communities/", {"value": "new-word"}, headers=PART))
    assert "new-word" not in line
    assert "new-word" not in str(AuditEntry.objects.values())


@pytest.mark.parametrize("role", ["viewer", "operator", "part of the portal"])
def test_nobody_else_sees_or_sets_anything(client, role):
    group = make_group() if role == "part of the portal" else None
    client.force_login(make_user("administrator" if group else role, group))
    for path in ("", "auto_logout/", "auto_logout/history/", "nothing/"):
        assert client.get(f"/settings/{path}").status_code == 403
    for path in ("auto_logout/", "auto_logout/reset/", "nothing/"):
        assert client.post(f"/settings/{path}", {"value": "20"}).status_code == 403
    assert options.get("auto_logout") == 30
    assert not AuditEntry.objects.exclude(outcome="refused").exists()


def test_an_option_that_is_not_there_is_not_found(anna):
    for path in ("nothing/", "nothing/history/"):
        assert anna.get(f"/settings/{path}").status_code == 404
    assert anna.post("/settings/nothing/reset/").status_code == 404


def test_the_api_and_the_command_set_back_as_well(anna, capsys):
    from django.core.management import call_command

    options.set_value("auto_logout", 20, SYSTEM)
    answer = anna.post("/api/v1/options/auto_logout/reset/", {}, "application/json")
    assert (answer.status_code, answer.json()["value"]) == (200, 30)
    options.set_value("auto_logout", 20, SYSTEM)
    call_command("option", "reset", "auto_logout")
    assert capsys.readouterr().out == "auto_logout = 30\n"
    assert not OptionValue.objects.exists()

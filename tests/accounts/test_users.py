"""Users by every way; the last administrator and oneself stay, also when two act at once."""

import os
import pwd
import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from apps.access.models import Role
from apps.access.services import roles, tokens
from apps.access.services.roles import administrators
from apps.accounts.models import LockOut, User
from apps.accounts.services import users
from apps.core.actors import COMMAND, SYSTEM, Actor, ActorKind
from apps.core.models import AuditEntry
from tests.factories import make_user, root_group

JSON = "application/json"
LAST = "This is the last administrator."


@pytest.fixture
def anna(db: None) -> User:
    """The only administrator."""
    return make_user("administrator", username="anna", is_staff=True)


@pytest.fixture
def keeper(anna: User) -> Client:
    """Somebody else who may manage access, without being an administrator."""
    role = Role.objects.create(name="keeper", permissions=["view", "access"])
    ben = make_user(None, username="ben", is_staff=True)
    roles.grant(ben, role, root_group(), SYSTEM)
    client = Client()
    client.force_login(ben)
    return client


def sentences(body: Any) -> str:
    return str(body["errors"])


@pytest.mark.django_db
class TestTheLastAdministrator:
    """Nobody disables or removes the last one, by any way."""

    @pytest.fixture(autouse=True)
    def _stays(self, anna: User, request):
        yield
        anna.refresh_from_db()
        assert anna.is_active
        assert [one.username for one in administrators()] == ["anna"]
        assert not AuditEntry.objects.filter(action__in=("user.change", "user.remove"), outcome="success").exists()

    def test_on_the_pages(self, keeper, anna):
        page = keeper.post(f"/access/users/{anna.pk}/", {"what": "user", "username": "anna"})
        assert LAST in page.content.decode()
        page = keeper.post(f"/access/users/{anna.pk}/remove/", follow=True)
        assert LAST in page.content.decode()

    def test_by_the_api(self, keeper, anna):
        answer = keeper.patch(f"/api/v1/users/{anna.pk}/", {"is_active": False}, JSON)
        assert (answer.status_code, answer.json()["errors"]) == (400, {"is_active": [LAST]})
        answer = keeper.delete(f"/api/v1/users/{anna.pk}/")
        assert answer.status_code == 400
        assert LAST in sentences(answer.json())

    def test_in_classic_mode(self, keeper, anna, settings):
        settings.ROOT_URLCONF = "esm.classic_urls"
        for path, sent in (
            (f"/accounts/user/{anna.pk}/change/", {"username": "anna"}),
            (f"/accounts/user/{anna.pk}/delete/", {"post": "yes"}),
            ("/accounts/user/", {"action": "delete_selected", "_selected_action": [anna.pk], "post": "yes"}),
        ):
            assert LAST in keeper.post(path, sent, follow=True).content.decode(), path

    def test_on_the_command_line(self, anna):
        for verb in ("disable", "delete"):
            with pytest.raises(CommandError, match=LAST) as caught:
                call_command("user", verb, "anna")
            assert caught.value.returncode == 1


@pytest.mark.django_db
class TestOneself:
    """Nobody shuts himself out."""

    def test_by_any_way(self, anna, settings):
        make_user("administrator", username="other")
        client = Client()
        client.force_login(anna)
        secret = tokens.create(anna, "script", SYSTEM).secret
        page = client.post(f"/access/users/{anna.pk}/", {"what": "user", "username": "anna"})
        assert "You cannot disable yourself." in page.content.decode()
        page = client.post(f"/access/users/{anna.pk}/remove/", follow=True)
        assert "You cannot remove yourself." in page.content.decode()
        for caller, headers in ((client, {}), (Client(), {"authorization": f"Bearer {secret}"})):
            answer = caller.patch(f"/api/v1/users/{anna.pk}/", {"is_active": False}, JSON, headers=headers)
            assert answer.json()["errors"] == {"is_active": ["You cannot disable yourself."]}
            assert caller.delete(f"/api/v1/users/{anna.pk}/", headers=headers).status_code == 400
        settings.ROOT_URLCONF = "esm.classic_urls"
        page = client.post(f"/accounts/user/{anna.pk}/change/", {"username": "anna"}, follow=True)
        assert "You cannot disable yourself." in page.content.decode()
        page = client.post(f"/accounts/user/{anna.pk}/delete/", {"post": "yes"}, follow=True)
        assert "You cannot remove yourself." in page.content.decode()
        assert User.objects.get(pk=anna.pk).is_active
        assert not AuditEntry.objects.filter(action__in=("user.change", "user.remove"), outcome="success").exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_who_disable_each_other_at_once_one_stays():
    pair = [make_user("administrator", username=name) for name in ("anna", "ben")]
    start = threading.Barrier(2)
    refused: list[str] = []

    def disable(actor: User, other: User) -> None:
        try:
            start.wait(10)
            users.change(other, {"is_active": False}, Actor(ActorKind.USER, actor.username, actor))
        except ValidationError as error:
            refused.extend(error.messages)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=disable, args=(pair[at], User.objects.get(pk=pair[1 - at].pk))) for at in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert refused == [LAST]
    assert administrators().count() == 1


@pytest.mark.django_db
def test_what_is_wrong_with_a_user_is_said_at_its_field_by_every_way(anna, settings):
    client = Client()
    client.force_login(anna)
    sent = {"username": "a b", "password": "short", "email": "nowhere"}
    answer = client.post("/api/v1/users/", sent, JSON)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) & {"username", "email"}
    grant = {"role": Role.objects.get(name="viewer").pk, "group": root_group().pk}
    page = client.post("/access/users/new/", {**sent, "email": "", **grant})
    assert list(page.context["form"].errors) == ["username"]
    page = client.post("/access/users/new/", {**sent, "username": "fine", "email": "", **grant})
    assert page.context["form"].errors["password"] == ["This password is too short: it needs at least 12 characters."]
    settings.ROOT_URLCONF = "esm.classic_urls"
    page = client.post("/accounts/user/add/", {"username": "a b", "new_password": ""})
    assert set(page.context["adminform"].form.errors) == {"username", "new_password"}
    assert list(User.objects.values_list("username", flat=True)) == ["anna"]


@pytest.mark.django_db
class TestStartPage:
    """The page that somebody begins with."""

    def sign_in(self, target: str = "") -> str:
        answer = Client().post("/login/", {"username": "anna", "password": "correct horse battery", "next": target})
        return str(answer["Location"])

    def test_it_is_chosen_among_our_own_pages_and_used_when_none_was_asked_for(self, anna):
        client = Client()
        client.force_login(anna)
        sent = {"language": "", "time_zone": "", "theme": "auto", "start_page": "components:list"}
        assert client.post("/preferences/", sent).status_code == 302
        assert [self.sign_in(target) for target in ("", "/", "/jobs/")] == ["/components/", "/components/", "/jobs/"]

    @pytest.mark.parametrize("value", ["https://evil.example/", "//evil.example/", "/components/", "nowhere:at-all"])
    def test_nothing_else_is_kept(self, anna, value):
        client = Client()
        client.force_login(anna)
        answer = client.post("/preferences/", {"theme": "auto", "start_page": value})
        assert answer.status_code == 400
        assert list(answer.context["form"].errors) == ["start_page"]
        anna.refresh_from_db()
        assert anna.start_page == ""

    def test_a_page_that_he_may_not_open_any_more_is_not_used(self, anna):
        make_user("administrator")
        users.set_preferences(anna, {"start_page": "access:users"})
        assert self.sign_in() == "/access/"
        anna.grants.all().delete()
        assert self.sign_in() == "/"

    def test_classic_mode_has_none_of_these_pages_and_keeps_the_choice(self, anna, settings):
        users.set_preferences(anna, {"start_page": "components:list"})
        settings.ROOT_URLCONF = "esm.classic_urls"
        assert self.sign_in() == "/"
        client = Client()
        client.force_login(anna)
        client.post("/preferences/", {"theme": "dark"})
        anna.refresh_from_db()
        assert (anna.theme, anna.start_page) == ("dark", "components:list")


@pytest.mark.django_db
class TestCommand:
    """``manage.py user``."""

    SECRET = "a rather long secret"

    @pytest.fixture
    def file(self, tmp_path) -> str:
        path = tmp_path / "password"
        path.write_text(f"{self.SECRET}\nnot this line\n")
        return str(path)

    def test_create_list_disable_enable_password_delete(self, file, capsys):
        call_command(
            "user",
            "create",
            "ops@example.com",
            "--email",
            "ops@example.com",
            "--role",
            "operator",
            "--password-file",
            file,
        )
        user = User.objects.get(username="ops@example.com")
        assert (user.check_password(self.SECRET), user.must_change_password) == (True, True)
        call_command("user", "disable", "ops@example.com")
        call_command("user", "list")
        [heads, line] = capsys.readouterr().out.splitlines()[-2:]
        assert heads.split() == ["NAME", "STATE", "LAST", "SIGN-IN", "MAIL", "ROLES"]
        assert line.split()[:4] == ["ops@example.com", "disabled", "never", "ops@example.com"]
        assert "operator on" in line
        call_command("user", "enable", "ops@example.com")
        with open(file, "w") as opened:
            opened.write("another long secret")
        call_command("user", "password", "ops@example.com", "--password-file", file, "--keep")
        user.refresh_from_db()
        assert (user.is_active, user.check_password("another long secret")) == (True, True)
        assert not user.must_change_password
        call_command("user", "delete", "ops@example.com")
        assert not User.objects.exists()
        entries = AuditEntry.objects.order_by("pk")
        assert [entry.action for entry in entries] == [
            *("user.create", "grant.create", "user.change", "user.change", "user.password", "user.remove")
        ]
        assert {entry.actor_kind for entry in entries} == {"command"}
        assert all(entry.actor_name.startswith("command line (") for entry in entries)
        assert "long secret" not in capsys.readouterr().out + str(list(entries.values()))

    def test_a_lock_out_is_released(self, capsys):
        make_user("viewer", username="vera")
        for _attempt in range(6):
            Client().post("/login/", {"username": "vera", "password": "wrong"})
        assert LockOut.objects.filter(name="vera").exists()
        call_command("user", "unlock", "Vera")
        assert capsys.readouterr().out == "1 lock-out was released.\n"
        assert not LockOut.objects.filter(name="vera").exists()
        call_command("user", "unlock", "vera", "--address", "192.0.2.9")
        assert capsys.readouterr().out == "0 lock-outs were released.\n"
        with pytest.raises(CommandError, match="Name an account"):
            call_command("user", "unlock")
        assert AuditEntry.objects.get(action="lockout.release").actor_name == COMMAND.name

    def test_a_password_is_piped_in(self, monkeypatch):
        import io

        monkeypatch.setattr("sys.stdin", io.StringIO(f"{self.SECRET}\n"))
        call_command("user", "create", "piped")
        assert User.objects.get(username="piped").check_password(self.SECRET)

    def test_whoever_sits_there_is_asked_twice(self, monkeypatch):
        answers = iter([self.SECRET, "another one", self.SECRET, self.SECRET])
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
        with pytest.raises(CommandError, match="The two passwords differ"):
            call_command("user", "create", "asked")
        call_command("user", "create", "asked")
        assert User.objects.get(username="asked").check_password(self.SECRET)

    @pytest.mark.parametrize(
        ("words", "code", "sentence"),
        [
            (("delete", "nobody"), 3, "There is no user 'nobody'"),
            (("password", "nobody", "--password-file", "-"), 3, "There is no user 'nobody'"),
            (("create", "a b"), 1, "A name consists of letters"),
            (
                ("create", "fine", "--role", "king"),
                1,
                "There is no role 'king'; there are: administrator, operator, viewer",
            ),
            (("create", "fine", "--role", "viewer", "--group", "Mars"), 1, "There is no group 'Mars'"),
            (("create", "fine", "--password-file", "/nowhere/at/all"), 1, "The password cannot be read"),
        ],
    )
    def test_what_is_wrong_is_said_with_a_code_and_nothing_happens(self, file, words, code, sentence):
        given = () if "--password-file" in words or words[0] == "delete" else ("--password-file", file)
        with pytest.raises(CommandError, match=sentence) as caught:
            call_command("user", *words, *given)
        assert caught.value.returncode == code
        assert not User.objects.exists()
        assert not AuditEntry.objects.exists()

    def test_a_password_is_no_word_of_the_command(self):
        with pytest.raises(CommandError, match="unrecognized arguments"):
            call_command("user", "create", "fine", self.SECRET)
        assert not User.objects.exists()

    def test_options_are_set_in_the_name_of_who_typed_it(self):
        call_command("option", "set", "auto_logout", "20")
        assert (
            AuditEntry.objects.get().actor_name == COMMAND.name == f"command line ({pwd.getpwuid(os.getuid()).pw_name})"
        )

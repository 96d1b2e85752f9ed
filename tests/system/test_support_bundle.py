"""The support bundle tells what is needed and no secret: whatever was planted is in no byte of it."""

import io
import json
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from apps.access.services import tokens
from apps.accounts.models import Session
from apps.core import options
from apps.core import secrets as stored_secrets
from apps.core.actors import COMMAND
from apps.core.models import AuditEntry, Job
from apps.system.bundle import building, orders, portal_sections
from apps.system.bundle.redaction import REMOVED, Redactor
from apps.system.journal import Journal
from apps.system.models import SupportBundle
from tests.factories import PASSWORD, make_component, make_credential, make_interface, make_user

DATABASE_PASSWORD = "d4t@base pass/word"
KEY_LINE = "MIIEowIBAAKCAQEAplantedplantedplantedplanted"
PRIVATE_KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{KEY_LINE}\n-----END RSA PRIVATE KEY-----\n"


@pytest.fixture
def data(settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.SECRETS_KEY_FILE = str(tmp_path / "keys" / "secrets.key")
    return tmp_path


@pytest.fixture
def planted(db: None, data: Path, monkeypatch: pytest.MonkeyPatch, settings) -> Iterator[list[str]]:
    """Put secrets of every sort where a portal has them, and into its log; give all of them."""
    address = f"postgresql://portal:{quote(DATABASE_PASSWORD, safe='')}@db.example.net:5432/portal"
    environment = {
        "DATABASE_URL": address,
        "REDIS_URL": "redis://:r3dis-secret@cache.example.net:6379/0?password=qu3ry-secret",
        "ESM_ADMIN_PASSWORD": "first-admin-passw0rd",
        "AWS_SECRET_ACCESS_KEY": "aw5-secret-value",
        "SOME_API_TOKEN": "t0ken-of-a-neighbour",
        "HTTPS_PROXY": "http://user:pr0xy-secret@proxy.example.net:3128",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    make_credential("snmp-community", community="tiny7")
    make_credential("snmp-community", community="gr8-community")
    make_credential("snmp-v3", auth_password="auth-pässwörd-1", priv_password='priv"quoted\\password')
    make_credential("password", password="b&w <passwörd> 17")
    make_credential("ssh-key", username="root", private_key=PRIVATE_KEY, passphrase="ssh-passphrase-1")
    options.set_value("trap_communities", ["accepted-community", "tr4p"], COMMAND)
    user = make_user("administrator", username="anna")
    client = Client()
    client.force_login(user)
    session = client.session.session_key
    assert Session.objects.filter(session_key=session).exists()
    token = tokens.create(user, "night shift", COMMAND).secret
    secrets = [
        DATABASE_PASSWORD, quote(DATABASE_PASSWORD, safe=""), "r3dis-secret", "qu3ry-secret", "first-admin-passw0rd",
        "aw5-secret-value", "t0ken-of-a-neighbour", "pr0xy-secret", "tiny7", "gr8-community", "auth-pässwörd-1",
        'priv"quoted\\password', "b&w <passwörd> 17", KEY_LINE, "ssh-passphrase-1", "accepted-community", "tr4p",
        session, token, user.password, settings.SECRET_KEY,
        stored_secrets.newest_key().decode(), "basic-auth-dXNlcjpwdw", "un-known-but-said-so",
    ]  # fmt: skip
    journal = Journal(data)
    for secret in secrets[:-2]:
        for line in (
            f"ERROR x: device said {secret!r}",
            f"WARNING x: {json.dumps({'reason': secret})}",
            f"INFO {secret}",
        ):
            journal.write(f"web | {line}")
    journal.write(f"web | ERROR x: Authorization: Basic {secrets[-2]}")
    journal.write(f"web | ERROR x: login failed with password={secrets[-1]} for admin")
    journal.write("web | ERROR x: the fan of rack 7 stands still")
    yield secrets
    options.forget()


def members(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def section(content: bytes, name: str) -> Any:
    return json.loads(members(content)[name])


def test_no_secret_is_in_any_byte(planted: list[str]) -> None:
    content = building.build()
    told = members(content)
    assert [(secret, name) for secret in planted for name, text in told.items() if secret in text] == []
    assert [secret for secret in planted if secret.encode() in content] == []
    assert REMOVED in told["errors.txt"]
    assert "the fan of rack 7 stands still" in told["errors.txt"]
    assert PASSWORD not in str(told)


def test_it_tells_what_is_needed(planted: list[str]) -> None:
    make_interface(make_component("web-01"), last_error_code="unreachable")
    content = building.build()
    assert list(members(content)) == [
        "README.txt", "versions.json", "environment.json", "processes.json", "preflight.json", "queues.json",
        "options.json", "migrations.json", "database.json", "capacity.json", "counters.json", "errors.txt", "log.txt",
    ]  # fmt: skip
    assert "not made" not in "".join(members(content).values())
    assert section(content, "versions.json")["libraries"]["Django"].startswith("5.2.")
    environment = section(content, "environment.json")
    assert (environment["DATABASE_URL"], environment["ESM_ADMIN_PASSWORD"]) == ("(set)", "(set)")
    told = section(content, "options.json")
    assert told["trap_communities"] == {"value": "(set)", "changed": True, "environment decides": False}
    assert told["MONITORING_INTERVAL"] == {"value": 600, "changed": False, "environment decides": False}
    migrations = section(content, "migrations.json")
    assert migrations["not applied"] == []
    assert any(line.startswith("system.0001_") for line in migrations["applied"])
    assert section(content, "database.json")["tables"]["components_component"] > 0
    counters = section(content, "counters.json")
    assert counters["interfaces by last error"] == {"unreachable": 1}
    assert (counters["users"], counters["sessions"]) == (1, 1)
    assert {check["name"] for check in section(content, "preflight.json")} >= {"Python", "Memory", "Data folder"}


def test_a_section_that_cannot_be_made_costs_only_itself(planted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise DatabaseError("connection to db with password=un-known failed")

    monkeypatch.setattr(building, "STRUCTURED", (("database.json", "", broken), building.STRUCTURED[0]))
    content = building.build()
    assert section(content, "database.json") == {"not made": "DatabaseError"}
    assert section(content, "versions.json")["portal"]


def test_an_option_that_is_secret_is_secret_in_the_audit_too(db: None) -> None:
    options.set_value("trap_communities", ["accepted-community"], COMMAND)
    entry = AuditEntry.objects.get(action="option.set")
    assert (entry.object_name, entry.before, entry.after) == (
        "trap_communities",
        {"value": "(changed)"},
        {"value": "(changed)"},
    )
    assert portal_sections.all_options()["trap_communities"]["value"] == "(set)"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("postgresql://portal:hunter2@db:5432/x refused", f"postgresql://{REMOVED}@db:5432/x refused"),
        ("Authorization: Bearer abc.def", f"Authorization: {REMOVED}"),
        ("got header bearer abcdefgh12345", f"got header bearer {REMOVED}"),
        ("Cookie: esm_session_21120=abc; theme=dark", f"Cookie: {REMOVED}"),
        ("{'password': 'hunter2', 'name': 'x'}", f"{{'password': {REMOVED}, 'name': 'x'}}"),
        ("snmp community=public1 timed out", f"snmp community={REMOVED} timed out"),
        ("hash pbkdf2_sha256$600000$salt$hash=", f"hash {REMOVED}"),
        ("key 0123456789abcdef0123456789abcdef gone", f"key {REMOVED} gone"),
        ("key AbcdefghAbcdefghAbcdefghAbcdefghAbcd gone", f"key {REMOVED} gone"),
        ("the token bucket is empty", "the token bucket is empty"),
        ("poll of 198.18.0.1 took 12.5 s", "poll of 198.18.0.1 took 12.5 s"),
        ("a-name-of-a-server-in-tokyo-that-is-long", "a-name-of-a-server-in-tokyo-that-is-long"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_of_what_programs_say(said: str, left: str) -> None:
    assert Redactor([]).clean_prose(said) == left


def test_a_short_secret_is_found_as_a_word_and_a_long_one_anywhere() -> None:
    redactor = Redactor(["pub", "long-secret", ""])
    assert redactor.clean("pub public xlong-secretx") == f"{REMOVED} public x{REMOVED}x"


class TestOrders:
    """By page, API and command."""

    @pytest.fixture
    def anna(self, db: None, data: Path) -> Client:
        client = Client()
        client.force_login(make_user("administrator", username="anna"))
        return client

    def test_it_is_a_job_and_is_gone_after_a_day(self, anna: Client) -> None:
        job = orders.order(COMMAND)
        orders.make(job.pk)
        job.refresh_from_db()
        bundle = SupportBundle.objects.get()
        assert (job.state, job.kind, str(job.steps.get().message)) == (
            "done",
            "support-bundle",
            f"{bundle.name} is ready and is kept for a day.",
        )
        assert bundle.size == len(bytes(bundle.content))
        assert orders.remove_old() == 0
        SupportBundle.objects.update(made_at=timezone.now() - orders.KEPT_FOR)
        assert list(orders.present()) == []
        assert orders.remove_old() == 1

    def test_one_order_makes_one_bundle(self, anna: Client) -> None:
        job = orders.order(COMMAND)
        orders.make(job.pk)
        orders.make(job.pk)
        assert SupportBundle.objects.count() == 1
        assert AuditEntry.objects.filter(action="job.support-bundle").count() == 1

    def test_the_command_writes_a_file_for_its_owner_alone_and_never_over_another(
        self, anna: Client, data: Path
    ) -> None:
        path = data / "out.zip"
        call_command("support_bundle", output=path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "versions.json" in members(path.read_bytes())
        assert AuditEntry.objects.get(action="support-bundle.write").object_name == "out.zip"
        before = path.read_bytes()
        with pytest.raises(CommandError, match="exists already"):
            call_command("support_bundle", output=path)
        assert path.read_bytes() == before
        assert Job.objects.count() == 0

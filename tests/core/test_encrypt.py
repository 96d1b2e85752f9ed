"""Secrets in configuration files: ``{ENC}…`` in the place of the secret itself."""

import io
import os
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from apps.core import secrets
from esm.settings import env
from tests.system.portal import manage


@pytest.fixture
def key_file(settings, tmp_path: Path, monkeypatch) -> Path:
    path = tmp_path / "keys" / "secrets.key"
    settings.SECRETS_KEY_FILE = str(path)
    monkeypatch.setenv("ESM_SECRETS_KEY_FILE", str(path))
    secrets.encrypt("makes the file")
    return path


def encrypted(text: str, monkeypatch) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    out = io.StringIO()
    call_command("encrypt", stdout=out)
    return out.getvalue().strip()


@pytest.mark.parametrize("secret", ["simple", "with space ", "pä€ß@:/%", "{", "x" * 5000])
def test_what_is_printed_is_read_again(key_file: Path, monkeypatch, secret: str) -> None:
    written = encrypted(f"{secret}\n", monkeypatch)
    assert written.startswith("{ENC}gAAAA")
    assert "\n" not in written
    assert secrets.plain(written) == secret
    monkeypatch.setenv("ESM_SOMETHING", written)
    assert env.text("ESM_SOMETHING") == secret
    monkeypatch.setenv("ESM_SOMETHING", "in clear")
    assert env.text("ESM_SOMETHING") == "in clear"


@pytest.mark.parametrize("text", ["", "\n"])
def test_nothing_is_not_encrypted(key_file: Path, monkeypatch, text: str) -> None:
    with pytest.raises(CommandError, match="nothing to encrypt"):
        encrypted(text, monkeypatch)


def test_nothing_is_encrypted_twice(key_file: Path, monkeypatch) -> None:
    with pytest.raises(CommandError, match="encrypted already"):
        encrypted(encrypted("secret", monkeypatch), monkeypatch)


def test_passwords_of_database_and_broker_take_both_forms(key_file: Path, monkeypatch) -> None:
    written = encrypted("p@ss:w/rd%", monkeypatch)
    for form in ("p%40ss%3Aw%2Frd%25", written):
        monkeypatch.setenv("DATABASE_URL", f"postgresql://portal:{form}@db.example.net:5432/portal")
        assert env.database()["PASSWORD"] == "p@ss:w/rd%"
        assert env.database()["HOST"] == "db.example.net"
        monkeypatch.setenv("REDIS_URL", f"redis://:{form}@cache.example.net:6379/0")
        assert env.url("REDIS_URL") == "redis://:p%40ss%3Aw%2Frd%25@cache.example.net:6379/0"
    monkeypatch.setenv("REDIS_URL", encrypted("redis://:whole@cache.example.net/0", monkeypatch))
    assert env.url("REDIS_URL") == "redis://:whole@cache.example.net/0"
    monkeypatch.setenv("REDIS_URL", "unix:///run/redis.sock")
    assert env.url("REDIS_URL") == "unix:///run/redis.sock"


def test_another_key_file_is_named_and_the_secret_is_not(key_file: Path, monkeypatch, tmp_path: Path) -> None:
    written = encrypted("the-secret-itself", monkeypatch)
    monkeypatch.setenv("ESM_SOMETHING", written)
    key_file.unlink()
    with pytest.raises(ImproperlyConfigured, match="ESM_SOMETHING cannot be decrypted: there is no key file"):
        env.text("ESM_SOMETHING")
    assert not key_file.exists()
    secrets.encrypt("makes another file")
    with pytest.raises(ImproperlyConfigured, match="ESM_SOMETHING cannot be decrypted") as refused:
        env.text("ESM_SOMETHING")
    assert str(key_file) in str(refused.value)
    assert "the-secret-itself" not in str(refused.value)
    assert written[5:] not in str(refused.value)


@pytest.mark.parametrize("damaged", ["{ENC}", "{ENC}x", "{ENC}gAAAAAB", "{ENC}ポータル"])
def test_what_is_damaged_is_refused(key_file: Path, damaged: str) -> None:
    with pytest.raises(secrets.Undecipherable):
        secrets.plain(damaged)


def test_the_command_starts_nothing_and_needs_no_database(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    made = manage("encrypt", folder=folder)
    assert (made.returncode, made.stdout) == (1, "")
    assert "nothing to encrypt" in made.stderr
    assert not (folder / "portal.sqlite3").exists()


def test_a_start_with_a_value_of_another_key_file_starts_nothing(tmp_path: Path) -> None:
    refused = manage("up", folder=tmp_path / "data", REDIS_URL="redis://:{ENC}gAAAAABnothing@127.0.0.1/0")
    assert refused.returncode == 1
    assert refused.stderr.startswith("manage.py: REDIS_URL cannot be decrypted: ")
    assert "gAAAAABnothing" not in refused.stderr
    assert not (tmp_path / "data" / "up.lock").exists()


@pytest.mark.django_db
def test_a_rotation_names_the_variables_whose_key_is_gone(key_file: Path, monkeypatch, capsys) -> None:
    oldest = secrets.written("a")
    secrets.add_key()
    monkeypatch.setenv("ESM_OLD", oldest)
    monkeypatch.setenv("REDIS_URL", f"redis://:{secrets.written('b')}@127.0.0.1/0")
    assert "{ENC}" in os.environ["REDIS_URL"]
    call_command("rotate_secrets")
    said = capsys.readouterr().err
    assert said == "Make these anew, their key is gone (manage.py encrypt): REDIS_URL\n"

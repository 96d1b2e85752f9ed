"""Giving the secrets a new key, also after it was killed half-way."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db.models import TextField
from django.db.models.functions import Cast

from apps.components.models import CredentialVersion
from apps.components.services import rotation
from apps.core import secrets
from apps.core.actors import COMMAND
from apps.core.models import AuditEntry
from tests.factories import make_credential

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def key_file(tmp_path, settings):
    settings.SECRETS_KEY_FILE = str(tmp_path / "keys" / "secrets.key")
    return tmp_path / "keys" / "secrets.key"


def keys(key_file) -> list[bytes]:
    return key_file.read_bytes().split()


def tokens() -> list[str]:
    return list(CredentialVersion.objects.annotate(raw=Cast("fields", TextField())).values_list("raw", flat=True))


def test_every_value_gets_the_new_key_and_the_signing_key_stays(key_file, monkeypatch, capsys):
    monkeypatch.setattr(rotation, "AT_ONCE", 2)
    for number in range(5):
        make_credential(community=f"c{number}")
    (oldest,) = keys(key_file)
    signing = secrets.signing_key(key_file)
    call_command("rotate_secrets")
    newest, kept = keys(key_file)
    assert (kept, secrets.signing_key(key_file)) == (oldest, signing)
    assert all(secrets.is_of(token, Fernet(newest)) for token in tokens())
    assert [row.fields["community"] for row in CredentialVersion.objects.order_by("pk")] == [f"c{n}" for n in range(5)]
    assert AuditEntry.objects.get().after == {"values": 5, "signing_key": False}

    call_command("rotate_secrets")
    assert newest not in keys(key_file)
    assert keys(key_file)[1:] == [oldest]
    assert [row.fields["community"] for row in CredentialVersion.objects.order_by("pk")] == [f"c{n}" for n in range(5)]
    assert "5 values" in capsys.readouterr().out


def test_it_can_be_started_again_after_a_kill(key_file, monkeypatch):
    for number in range(4):
        make_credential(community=f"c{number}")
    monkeypatch.setattr(rotation, "AT_ONCE", 1)
    rotated, real = [], secrets.rotate

    def dying(token):
        if len(rotated) == 2:
            raise KeyboardInterrupt
        rotated.append(token)
        return real(token)

    monkeypatch.setattr(secrets, "rotate", dying)
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(COMMAND)
    assert len(keys(key_file)) == 2
    assert [row.fields["community"] for row in CredentialVersion.objects.order_by("pk")] == [f"c{n}" for n in range(4)]
    monkeypatch.setattr(secrets, "rotate", real)
    assert rotation.rotate(COMMAND) == 4
    assert all(secrets.is_of(token, Fernet(keys(key_file)[0])) for token in tokens())
    assert [row.fields["community"] for row in CredentialVersion.objects.order_by("pk")] == [f"c{n}" for n in range(4)]


def test_the_signing_key_goes_only_when_asked(key_file):
    make_credential(community="c0")
    signing = secrets.signing_key(key_file)
    rotation.rotate(COMMAND, signing_too=True)
    assert len(keys(key_file)) == 1
    assert secrets.signing_key(key_file) != signing
    assert CredentialVersion.objects.get().fields["community"] == "c0"


def test_a_value_that_somebody_changes_meanwhile_is_not_overwritten(monkeypatch):
    credential = make_credential(community="before")
    real = secrets.rotate

    def meanwhile(token):
        if CredentialVersion.objects.get().fields["community"] == "before":
            CredentialVersion.objects.filter(credential=credential).update(fields={"community": "after"})
        return real(token)

    monkeypatch.setattr(secrets, "rotate", meanwhile)
    rotation.rotate(COMMAND)
    assert CredentialVersion.objects.get().fields == {"community": "after"}

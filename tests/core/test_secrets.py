"""Secrets at rest, phrases, and options from the command line."""

import os

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import translation

from apps.components.models import CredentialVersion
from apps.core import options, secrets
from apps.core.models import AuditEntry
from apps.core.phrases import Phrase
from tests.factories import make_credential

pytestmark = pytest.mark.django_db


class TestSecrets:
    """Secrets are encrypted with a key outside the database."""

    def test_a_field_is_plain_in_python_and_encrypted_in_the_database(self):
        credential = make_credential(community="very-secret")
        with connection.cursor() as cursor:
            cursor.execute("SELECT fields FROM components_credentialversion WHERE credential_id = %s", [credential.pk])
            stored = cursor.fetchone()[0]
        assert "very-secret" not in stored
        assert "community" not in stored
        version = CredentialVersion.objects.get(credential=credential)
        assert version.fields == {"version": "2c", "community": "very-secret"}
        with pytest.raises(TypeError):
            version._meta.get_field("fields").value_to_string(version)

    def test_a_foreign_secret_is_refused_without_being_quoted(self):
        with pytest.raises(secrets.Undecipherable) as caught:
            secrets.decrypt("gAAAA-not-ours")
        assert "not-ours" not in str(caught.value)

    def test_the_key_file_is_closed_to_others_or_refused(self):
        secrets.encrypt("anything")
        path = secrets.key_file()
        assert os.stat(path).st_mode & 0o777 == 0o600
        os.chmod(path, 0o640)
        try:
            with pytest.raises(Exception, match="can be read by others"):
                secrets.encrypt("anything")
        finally:
            os.chmod(path, 0o600)


def test_phrases_survive_the_database_and_odd_parameters():
    phrase = Phrase("%(name)s does not answer", {"name": "alpha"})
    assert Phrase.loads(phrase.dumps()) == phrase
    both = Phrase("%(first)s; %(more)s", {"first": phrase, "more": Phrase("Answers.")})
    assert Phrase.loads(both.dumps()) == Phrase("%(first)s; %(more)s", {"first": phrase, "more": Phrase("Answers.")})
    assert str(both) == "alpha does not answer; Answers."
    with translation.override("ja"):
        assert str(both) == "alpha does not answer; 応答しました。"
        assert (
            str(Phrase("%(part)s fails at %(name)s", {"part": "Memory", "name": "Memory"})) == "メモリ fails at Memory"
        )
    assert str(phrase) == "alpha does not answer"
    assert str(Phrase("100% sure")) == "100% sure"
    assert str(Phrase("%(gone)s", {"name": "x"})) == "%(gone)s"
    assert Phrase.loads('["not ours') == Phrase('["not ours')
    forged = '["%(a)999999999s", {"a": "x"}]'  # a device's own words never become a sentence with places
    assert str(Phrase.loads(Phrase(forged).dumps())) == forged


class TestCommand:
    """``manage.py option``."""

    def test_list_get_and_set(self, capsys):
        call_command("option", "set", "AUTO_LOGOUT", "45")
        call_command("option", "get", "auto_logout")
        call_command("option", "list")
        lines = capsys.readouterr().out.splitlines()
        assert lines[:2] == ["auto_logout = 45", "45"]
        assert "auto_logout = 45; default 30; 1–1440 minutes" in lines
        assert options.get("auto_logout") == 45
        assert AuditEntry.objects.get().actor_kind == "command"

    @pytest.mark.parametrize("words", [("set", "auto_logout", "0"), ("set", "nothing", "1"), ("get", "nothing")])
    def test_what_is_wrong_is_said_and_nothing_set(self, words):
        with pytest.raises(CommandError, match=words[1]):
            call_command("option", *words)
        assert not AuditEntry.objects.exists()

"""Certificates that the portal makes, as openssl reads them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.core.actors import COMMAND
from apps.core.errors import Conflict
from apps.core.models import AuditEntry
from apps.system.models import Certificate, CertificateRequest, CertificateUse
from apps.system.tls import services
from apps.system.tls.material import Wish, clean_name
from tests.system.tls.files import openssl

pytestmark = pytest.mark.django_db

NAMES = ("portal.example.net", "192.0.2.5", "2001:db8::5")


def wish(kind: str = "ec-p256", days: int = 1000) -> Wish:
    return Wish.of("portal.example.net", NAMES, kind, days)


@pytest.mark.parametrize(
    ("kind", "bits", "algorithm"),
    [
        ("rsa-2048", "2048 bit", "rsaEncryption"),
        ("rsa-3072", "3072 bit", "rsaEncryption"),
        ("ec-p256", "256 bit", "id-ecPublicKey"),
        ("ec-p384", "384 bit", "id-ecPublicKey"),
    ],
)
def test_openssl_sees_the_key_the_names_and_the_use_and_believes_the_chain(
    tmp_path: Path, kind: str, bits: str, algorithm: str
) -> None:
    made = services.create(wish(kind), COMMAND)
    (tmp_path / "own.pem").write_text(made.chain)
    (tmp_path / "ca.pem").write_text(services.authority().chain)
    text = openssl("x509", "-in", tmp_path / "own.pem", "-noout", "-text")
    assert f"Public-Key: ({bits})" in text
    assert f"Public Key Algorithm: {algorithm}" in text
    assert "Subject: CN = portal.example.net" in text
    assert "DNS:portal.example.net, IP Address:192.0.2.5, IP Address:2001:DB8:0:0:0:0:0:5" in text
    assert "X509v3 Extended Key Usage: \n                TLS Web Server Authentication\n" in text
    assert "CA:FALSE" in text
    for name in (("-verify_hostname", "portal.example.net"), ("-verify_ip", "2001:db8::5")):
        believed = ("-x509_strict", "-purpose", "sslserver", "-CAfile", tmp_path / "ca.pem", *name)
        assert openssl("verify", *believed, tmp_path / "own.pem").endswith("own.pem: OK\n")
    foreign = openssl(
        "verify", "-CAfile", tmp_path / "ca.pem", "-verify_hostname", "evil.example", tmp_path / "own.pem", fails=True
    )
    assert "hostname mismatch" in foreign
    facts = openssl("x509", "-in", tmp_path / "own.pem", "-noout", "-fingerprint", "-sha256")
    assert facts.strip().partition("=")[2].replace(":", "").lower() == made.fingerprint


def test_it_is_valid_for_as_long_as_asked_and_no_longer_than_its_authority() -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    made = services.create(wish(days=1000), COMMAND, now=now)
    assert (made.not_before, made.not_after) == (now - timedelta(hours=1), now + timedelta(days=1000))
    late = services.create(wish(days=3650), COMMAND, now=now + timedelta(days=30))
    assert late.not_after == services.authority().not_after == now + timedelta(days=3650)
    with pytest.raises(Conflict, match="own authority has expired"):
        services.create(wish(), COMMAND, now=now + timedelta(days=4000))
    services.create(wish(), COMMAND, new_authority=True, now=now + timedelta(days=4000))
    assert services.authority().not_after == now + timedelta(days=7650)


@pytest.mark.parametrize("days", [0, -1, 3651, 10**9])
def test_days_outside_the_range_make_nothing(days: int) -> None:
    with pytest.raises(ValidationError, match="from 1 to 3650"):
        services.create(wish(days=days), COMMAND)
    assert not Certificate.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "-a.example",
        "a..example",
        "x" * 64,
        "*",
        "*.*.example",
        "http://a",
        "a:443",
        "1.2.3",
        "256.1.1.1",
        "\x00",
    ],
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="neither a host name nor an address"):
        clean_name(name)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Portal.Example.NET.", "portal.example.net"),
        ("[2001:DB8::0:5]", "2001:db8::5"),
        ("*.example.net", "*.example.net"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),  # IANA's own example
    ],
)
def test_a_name_is_written_in_one_way(typed: str, stored: str) -> None:
    assert clean_name(typed) == stored


def test_every_fault_of_a_wish_stands_at_its_field() -> None:
    with pytest.raises(ValidationError) as refused:
        Wish.of("x" * 65, ["a b", "ok.example"], "dsa", 1)
    assert set(refused.value.message_dict) == {"common_name", "names", "key"}
    with pytest.raises(ValidationError, match="at most 100"):
        Wish.of("a", [f"h{number}" for number in range(101)], "ec-p256", 1)


def test_usual_names_are_those_of_this_machine(settings) -> None:
    settings.BIND = "127.0.0.1,192.0.2.9"
    assert {"localhost", "127.0.0.1", "::1", "192.0.2.9"} <= set(services.usual_names())


def test_a_renewal_keeps_names_kind_and_days_and_changes_the_key() -> None:
    first = services.create(wish("rsa-2048", 200), COMMAND)
    renewed = services.renew(COMMAND, now=timezone.now() + timedelta(days=100))
    assert (renewed.names, renewed.key_kind, renewed.days) == (first.names, "rsa-2048", 200)
    assert (renewed.not_after - first.not_after).days in {99, 100}
    assert renewed.key != first.key
    assert Certificate.objects.count() == 2  # with the authority, which stays
    entry = AuditEntry.objects.get(action="certificate.renew")
    assert (entry.before["fingerprint"], entry.after["fingerprint"]) == (first.fingerprint, renewed.fingerprint)


def test_without_a_certificate_there_is_nothing_to_renew() -> None:
    with pytest.raises(Conflict, match="no certificate yet"):
        services.renew(COMMAND)


def test_no_key_stands_in_the_database_in_clear_nor_in_the_audit(tmp_path: Path) -> None:
    from django.db import connection

    made = services.create(wish(), COMMAND)
    services.request(wish(), COMMAND)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM system_certificate")
        stored = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT key FROM system_certificaterequest")
        stored += [row[0] for row in cursor.fetchall()]
    assert len(stored) == 3
    assert all(text.startswith("gAAAA") for text in stored)
    assert made.key["pem"].startswith("-----BEGIN PRIVATE KEY-----")
    told = "".join(f"{entry.before}{entry.after}{entry.object_name}" for entry in AuditEntry.objects.all())
    assert "PRIVATE" not in told
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == [
        "certificate.authority",
        "certificate.create",
        "certificate.request",
    ]


def test_a_request_is_one_that_openssl_signs(tmp_path: Path) -> None:
    made = services.request(wish("rsa-2048"), COMMAND)
    (tmp_path / "a.csr").write_text(made.pem)
    text = openssl("req", "-in", tmp_path / "a.csr", "-noout", "-text", "-verify")
    assert "verify OK" in text
    assert "DNS:portal.example.net, IP Address:192.0.2.5" in text
    assert "TLS Web Server Authentication" in text
    services.request(wish(), COMMAND)
    assert CertificateRequest.objects.count() == 1


class TestCommand:
    """``manage.py tls``."""

    def test_it_makes_shows_and_gives_the_authority(self, capsys) -> None:
        call_command(
            "tls", "create", "--cn", "portal.example.net", "--name", "192.0.2.5", "--key", "rsa-2048", "--days", "1000"
        )
        made = Certificate.objects.get(use=CertificateUse.PORTAL)
        assert (made.names, made.days, made.key_kind) == (["portal.example.net", "192.0.2.5"], 1000, "rsa-2048")
        said = capsys.readouterr().out
        assert "HTTPS is off. Switch it on: manage.py option set https true" in said
        call_command("tls", "show")
        assert "RSA 2048" in (said := capsys.readouterr().out)
        assert "(999 days left)" in said
        assert "PRIVATE" not in said
        call_command("tls", "authority")
        given = capsys.readouterr().out
        assert x509.load_pem_x509_certificate(given.encode()).subject.rfc4514_string().startswith("CN=Fleet Portal CA")

    def test_what_is_wrong_is_said_by_field(self) -> None:
        with pytest.raises(CommandError, match="names: “a b” is neither a host name nor an address"):
            call_command("tls", "create", "--name", "a b")
        with pytest.raises(CommandError, match="no certificate yet"):
            call_command("tls", "renew")
        with pytest.raises(CommandError, match="There is no authority yet"):
            call_command("tls", "authority")
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("tls", "import", "/does/not/exist.p12")
        assert not Certificate.objects.exists()

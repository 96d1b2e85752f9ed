"""Certificates that others made: what openssl writes is taken, or refused with a clear word and nothing changed."""

import base64
import time
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from apps.core import options, secrets
from apps.core.actors import COMMAND
from apps.core.errors import Conflict
from apps.core.models import AuditEntry, Outcome
from apps.system.models import Certificate, CertificateRequest, CertificateUse
from apps.system.tls import services, serving
from apps.system.tls.material import Material, Wish
from apps.system.tls.state import InForce
from apps.system.tls.words import HTTPS
from tests.system.tls.files import Pki, openssl

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

HOST = ("subjectAltName=DNS:portal.example.net",)
MANY = b"\x02\x04\x7f\xff\xff\xff"  # the INTEGER 2,147,483,647
SERVER = (*HOST, "extendedKeyUsage=serverAuth")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    pki = Pki.make(tmp_path_factory.mktemp("pki"))
    pki.sign("site", "/CN=portal.example.net", extensions=SERVER)
    return pki


def take(data: bytes, password: str | None = None) -> tuple[Certificate, list[str]]:
    return services.take(data, password, COMMAND)


def subjects(row: Certificate) -> list[str]:
    material = Material.load(row.key["pem"], row.chain)
    return [one.subject.rfc4514_string() for one in (material.certificate, *material.others)]


def assert_refused(data: bytes, sentence: str, password: str | None = None) -> None:
    """It is refused with this sentence, audited, and nothing else has changed."""
    before = list(Certificate.objects.values_list("use", "fingerprint"))
    entries = AuditEntry.objects.count()
    with pytest.raises(ValidationError, match=sentence):
        take(data, password)
    assert list(Certificate.objects.values_list("use", "fingerprint")) == before
    (entry,) = AuditEntry.objects.order_by("pk")[entries:]
    assert (entry.action, entry.outcome) == ("certificate.import", Outcome.REFUSED)
    assert password is None or password not in str(entry.after)


@pytest.mark.parametrize(
    "more", [(), ("-legacy",), ("-keypbe", "AES-256-CBC", "-certpbe", "AES-256-CBC", "-macalg", "sha256")]
)
def test_pkcs12_is_taken_with_its_chain_in_order_and_without_the_root(pki: Pki, more: tuple[str, ...]) -> None:
    row, warnings = take(pki.pkcs12("site", "pässword-€", *more), "pässword-€")
    assert subjects(row) == ["CN=portal.example.net", "CN=Company issuing"]
    assert (row.own, row.issuer, row.names, warnings) == (False, "Company issuing", ["portal.example.net"], [])


def test_pkcs12_without_a_password_is_taken(pki: Pki) -> None:
    row, _warnings = take(pki.pkcs12("site", ""))
    assert row.subject == "portal.example.net"


def test_a_chain_in_disorder_is_mended_and_what_does_not_belong_left_out(pki: Pki) -> None:
    pki.sign("other", "/CN=somebody else", by="root")
    row, _warnings = take(pki.text("root.pem", "other.pem", "middle.pem", "site.pem", "site.key"))
    assert subjects(row) == ["CN=portal.example.net", "CN=Company issuing"]


def test_an_encrypted_pem_key_needs_its_password(pki: Pki) -> None:
    openssl(
        "pkey", "-in", pki.folder / "site.key", "-aes256", "-passout", "pass:right", "-out", pki.folder / "site.enc"
    )
    data = pki.text("site.pem", "middle.pem", "site.enc")
    assert_refused(data, "its password is needed")
    assert_refused(data, "password of the file is wrong", "wrong-one")
    assert take(data, "right")[0].subject == "portal.example.net"


def test_a_wrong_password_of_pkcs12_is_said(pki: Pki) -> None:
    data = pki.pkcs12("site", "right")
    assert_refused(data, "password of the file is wrong", "wrong-one")
    assert_refused(data, "its password is needed")


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"days": ("20200101000000Z", "20210101000000Z")}, "The certificate expired on 2021-01-01"),
        ({"days": ("20900101000000Z", "20910101000000Z")}, "not valid before 2090-01-01"),
        ({"extensions": (*HOST, "extendedKeyUsage=clientAuth")}, "lacks serverAuth"),
        ({"key": "rsa:1024"}, "2048 to 8192 bits; this one has 1024"),
        ({"key": "secp224r1"}, "secp224r1 is not one that browsers know"),
        ({"digest": "sha1"}, "signed with sha1"),
    ],
)
def test_what_no_browser_would_take_is_refused(pki: Pki, about: dict, sentence: str) -> None:
    pki.sign("bad", "/CN=portal.example.net", **{"extensions": SERVER, **about})
    assert_refused(pki.text("bad.pem", "middle.pem", "bad.key"), sentence)


def test_a_key_of_another_kind_is_refused(pki: Pki) -> None:
    openssl("genpkey", "-algorithm", "ed25519", "-out", pki.folder / "ed.key")
    assert_refused(pki.text("site.pem", "ed.key"), "Only RSA and EC keys")


def test_doubts_are_told_and_do_not_stop_it(pki: Pki) -> None:
    pki.sign("old", "/CN=portal.example.net", days=("20250101000000Z", "20350101000000Z"))
    _row, warnings = take(pki.text("old.pem", "old.key"))
    assert [warning[:30] for warning in warnings] == [
        "The certificate names no host ",
        "Some browsers refuse certifica",
        "No certificate between this on",
    ]


def test_what_does_not_belong_together_is_refused(pki: Pki) -> None:
    assert_refused(pki.text("middle.pem", "site.key"), "None of the certificates belongs to the private key")
    assert_refused(pki.text("site.pem"), "holds no private key")
    assert_refused(pki.text("site.pem", "site.key", "middle.key"), "several private keys")


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00" * 100, b"hello", b"\x30\x82\xff\xff" * 50, b"-----BEGIN NOTHING-----\nAAAA\n-----END NOTHING-----\n"],
)
def test_garbage_is_refused(data: bytes) -> None:
    assert_refused(data, "neither PKCS12 nor PEM|neither a private key nor a certificate")


def test_a_damaged_pkcs12_is_refused(pki: Pki) -> None:
    assert_refused(pki.pkcs12("site", "right")[:-200], "neither PKCS12 nor PEM")


def test_a_file_larger_than_any_certificate_is_not_even_opened(pki: Pki) -> None:
    assert_refused(pki.text("site.pem", "site.key") + b"\n" * 300_000, "larger than any certificate")


def test_more_certificates_than_any_chain_has_are_refused(pki: Pki) -> None:
    assert_refused(pki.text("site.key", *["site.pem"] * 21), "more certificates than any chain")


def test_a_bomb_is_refused_within_seconds(pki: Pki) -> None:
    """Two thousand million rounds of a hash: in the MAC of a PKCS12 file, and in the encryption of a PEM key."""
    started = time.monotonic()
    file = pki.pkcs12("site", "right", "-iter", "65537")
    assert file.endswith(b"\x02\x03\x01\x00\x01")
    head = file[:-5]
    assert_refused(_longer(head + MANY, len(head), 1), "more time or memory than any honest file", "right")
    openssl(
        *("pkcs8", "-topk8", "-in", pki.folder / "site.key", "-passout", "pass:right", "-v2", "aes-256-cbc"),
        *("-iter", "2048", "-outform", "DER", "-out", pki.folder / "key.der"),
    )
    head, tail = pki.text("key.der").split(b"\x02\x02\x08\x00")
    bomb = base64.encodebytes(_longer(head + MANY + tail, len(head), 2))
    key = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + bomb + b"-----END ENCRYPTED PRIVATE KEY-----\n"
    assert_refused(pki.text("site.pem") + key, "more time or memory than any honest file", "right")
    assert time.monotonic() - started < 120  # a busy machine; each of the two is stopped after five seconds of work


def _longer(der: bytes, at: int, by: int) -> bytes:
    """Add to the length of every SEQUENCE that begins before a place and reaches beyond it."""
    made, position = bytearray(der), 0
    while position < at:
        tag, length = made[position], made[position + 1]
        size = 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(made[position + 2 : position + 2 + count], "big")
            size += count
        inside = position + size <= at <= position + size + length
        if tag == 0x30 and inside:
            fresh = length + by
            if size == 2:
                assert fresh < 0x80
                made[position + 1] = fresh
            else:
                made[position + 2 : position + size] = fresh.to_bytes(size - 2, "big")
            position += size
        else:
            position += size + length
    return bytes(made)


def test_the_answer_to_a_request_needs_no_key(pki: Pki) -> None:
    made = services.request(Wish.of("portal.example.net", [], "ec-p256", 90), COMMAND)
    (pki.folder / "asked.csr").write_text(made.pem)
    (pki.folder / "asked.ext").write_text("[x]\n" + "\n".join(("basicConstraints=CA:FALSE", *SERVER)) + "\n")
    pki.sign_request("asked")
    assert_refused(pki.text("site.pem"), "None of the certificates belongs to the private key")
    row, _warnings = take(pki.text("middle.pem", "asked.pem"))
    assert subjects(row) == ["CN=portal.example.net", "CN=Company issuing"]
    assert row.key["pem"] == made.key["pem"]
    assert not CertificateRequest.objects.exists()


def test_an_import_replaces_the_own_certificate_and_is_not_renewed_by_the_portal(pki: Pki) -> None:
    services.create(services.usual_wish(), COMMAND)
    assert services.trusted_by_hand() is not None
    take(pki.text("site.pem", "middle.pem", "site.key"))
    assert Certificate.objects.filter(use=CertificateUse.PORTAL).count() == 1
    assert services.trusted_by_hand() is None
    with pytest.raises(Conflict, match="was imported"):
        services.renew(COMMAND)


def test_a_chain_that_was_mended_is_what_new_connections_see(pki: Pki) -> None:
    options.set_value(HTTPS, True, COMMAND)
    take(pki.text("site.pem", "site.key"))
    alone, first = serving.read(InForce(), None)
    assert serving.read(alone, first) == (alone, first)
    take(pki.text("site.pem", "middle.pem", "site.key"))
    whole, second = serving.read(alone, first)
    assert second is not first
    assert alone.certificate is not None
    assert whole.certificate is not None
    assert alone.certificate.fingerprint == whole.certificate.fingerprint


class TestCommand:
    """``manage.py tls import``."""

    def test_the_password_comes_from_a_file_or_the_environment_also_encrypted(
        self, pki: Pki, tmp_path: Path, monkeypatch, capsys
    ) -> None:
        (tmp_path / "site.p12").write_bytes(pki.pkcs12("site", "right"))
        (tmp_path / "clear").write_text("right\n")
        (tmp_path / "hidden").write_text(secrets.written("right") + "\n")
        for name in ("clear", "hidden"):
            Certificate.objects.all().delete()
            call_command("tls", "import", str(tmp_path / "site.p12"), "--password-file", str(tmp_path / name))
            assert services.current().subject == "portal.example.net"
        Certificate.objects.all().delete()
        monkeypatch.setenv("ESM_TLS_PASSWORD", secrets.written("right"))
        call_command("tls", "import", str(tmp_path / "site.p12"))
        assert services.current().subject == "portal.example.net"
        said = capsys.readouterr()
        assert "right" not in said.out + said.err

    def test_several_pem_files_belong_together(self, pki: Pki) -> None:
        call_command("tls", "import", *(str(pki.folder / name) for name in ("site.pem", "middle.pem", "site.key")))
        assert services.current().issuer == "Company issuing"

    def test_a_password_of_another_key_file_is_not_told(self, pki: Pki, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setenv("ESM_TLS_PASSWORD", "{ENC}gAAAAABnotatoken")
        (tmp_path / "site.p12").write_bytes(pki.pkcs12("site", "right"))
        with pytest.raises(CommandError, match="The password cannot be decrypted") as refused:
            call_command("tls", "import", str(tmp_path / "site.p12"))
        assert "notatoken" not in str(refused.value)

"""The pages and the API of HTTPS: what they do is what the command does, for those who may set the portal."""

import base64
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.core import options
from apps.core.actors import COMMAND
from apps.core.errors import Conflict
from apps.core.models import AuditEntry
from apps.system.models import Certificate, CertificateRequest
from apps.system.tls import checking, services
from apps.system.tls.material import Wish
from tests.factories import make_user
from tests.system.tls.files import Pki

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

API = "/api/v1/certificate/"
WISH = {"common_name": "portal.example.net", "names": "192.0.2.5\r\nportal\r\n", "key": "ec-p384", "days": "200"}
OPTIONS = {
    "https": "on",
    "tls_minimum": "1.3",
    "http_redirect_port": "0",
    "hsts_max_age": "86400",
    "certificate_renew_days": "20",
    "allowed_hosts": "cluster.example.net, .fleet.example",
}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    pki = Pki.make(tmp_path_factory.mktemp("pki"))
    names = ("subjectAltName=DNS:portal.example.net", "extendedKeyUsage=serverAuth")
    pki.sign("site", "/CN=portal.example.net", extensions=names)
    return pki


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_user("administrator", username="chief"))
    return client


def upload(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


class TestPages:
    def test_a_certificate_is_made_by_whom(self, admin: Client) -> None:
        assert admin.get("/https/create/").status_code == 200
        assert admin.post("/https/create/", WISH).status_code == 302
        made = services.current()
        assert (made.names, made.key_kind, made.days) == (["portal.example.net", "portal", "192.0.2.5"], "ec-p384", 200)
        entry = AuditEntry.objects.get(action="certificate.create")
        assert (entry.actor_name, entry.after["fingerprint"]) == ("chief", made.fingerprint)
        page = admin.get("/https/").content.decode()
        assert "199 days left" in page or "not used: HTTPS is off" in page
        assert "PRIVATE" not in page

    def test_what_is_wrong_stands_at_its_field_and_nothing_is_made(self, admin: Client) -> None:
        answer = admin.post("/https/create/", {**WISH, "names": "a b", "days": "4000"})
        assert answer.status_code == 400
        assert set(answer.context["form"].errors) == {"days"}
        answer = admin.post("/https/create/", {**WISH, "names": "a b\nok"})
        assert answer.context["form"].errors["names"] == ["“a b” is neither a host name nor an address."]
        assert "a b\nok" in answer.content.decode()
        assert not Certificate.objects.exists()

    def test_a_request_is_made_fetched_and_forgotten(self, admin: Client) -> None:
        assert admin.get("/https/request/").status_code == 404
        assert admin.post("/https/create/", {**WISH, "request": "1"}).status_code == 302
        file = admin.get("/https/request/")
        assert file.content.startswith(b"-----BEGIN CERTIFICATE REQUEST-----")
        assert file["Content-Disposition"] == 'attachment; filename="portal.csr"'
        assert admin.post("/https/request/remove/").status_code == 302
        assert not CertificateRequest.objects.exists()

    def test_a_file_is_imported_with_its_password(self, admin: Client, pki: Pki) -> None:
        file = pki.pkcs12("site", "right")
        refused = admin.post("/https/import/", {"file": upload("a.p12", file), "password": "wrong-word"})
        assert refused.status_code == 400
        assert "The password of the file is wrong." in refused.content.decode()
        assert "wrong-word" not in refused.content.decode()
        assert not Certificate.objects.exists()
        assert admin.post("/https/import/", {"file": upload("a.p12", file), "password": "right"}).status_code == 302
        assert services.current().issuer == "Company issuing"

    def test_certificate_and_key_may_be_two_files(self, admin: Client, pki: Pki) -> None:
        files = {
            "file": upload("a.pem", pki.text("site.pem", "middle.pem")),
            "key": upload("a.key", pki.text("site.key")),
        }
        assert admin.post("/https/import/", files).status_code == 302
        assert services.current().subject == "portal.example.net"
        large = admin.post("/https/import/", {"file": upload("a.pem", b"x" * 300_000)})
        assert "larger than any certificate" in large.content.decode()

    def test_options_are_set_together_or_not_at_all(self, admin: Client) -> None:
        answer = admin.post("/https/", {**OPTIONS, "hsts_max_age": "5", "allowed_hosts": "a:1"})
        assert answer.status_code == 400
        assert set(answer.context["form"].errors) == {"hsts_max_age", "allowed_hosts"}
        assert options.get("https") is False
        assert options.get("tls_minimum") == "1.2"
        assert admin.post("/https/", OPTIONS).status_code == 302
        assert options.get("https") is True
        assert options.get("tls_minimum") == "1.3"
        assert options.get("hsts_max_age") == 86400
        assert options.get("allowed_hosts") == ["cluster.example.net", ".fleet.example"]
        changed = AuditEntry.objects.filter(action="option.set").values_list("object_name", flat=True)
        assert sorted(changed) == ["allowed_hosts", "certificate_renew_days", "hsts_max_age", "https", "tls_minimum"]

    def test_what_the_environment_decides_is_not_set(self, admin: Client, monkeypatch) -> None:
        monkeypatch.setenv("ESM_TLS", "yes")
        assert "ESM_TLS in the environment decides this option." in admin.get("/https/").content.decode()
        without = {name: value for name, value in OPTIONS.items() if name != "https"}
        assert admin.post("/https/", without).status_code == 302
        assert options.get("https") is True

    def test_renewal_says_why_not(self, admin: Client) -> None:
        answer = admin.post("/https/renew/", follow=True)
        assert [str(message) for message in answer.context["messages"]] == ["There is no certificate yet."]
        services.create(services.usual_wish(), COMMAND)
        before = services.current().fingerprint
        admin.post("/https/renew/")
        assert services.current().fingerprint != before

    @pytest.mark.parametrize("path", ["", "create/", "import/"])
    def test_others_may_not_look(self, client: Client, path: str) -> None:
        client.force_login(make_user("operator"))
        assert client.get(f"/https/{path}").status_code == 403
        assert client.post(f"/https/{path}", WISH).status_code == 403
        assert not Certificate.objects.exists()


class TestApi:
    def test_it_is_made_told_renewed_and_never_gives_its_key(self, admin: Client) -> None:
        assert admin.get(API).json() == {
            "https": False,
            "certificate": None,
            "authority": None,
            "requested_at": None,
            "findings": [],
        }
        made = admin.post(API, {"common_name": "portal", "names": ["192.0.2.5"], "days": 30}, "application/json")
        assert made.status_code == 201
        body = made.json()
        assert (body["names"], body["own"], body["key"], body["days_left"]) == (
            ["portal", "192.0.2.5"],
            True,
            "ec-p256",
            29,
        )
        told = admin.get(API).json()
        assert told["certificate"]["fingerprint"] == body["fingerprint"]
        assert told["authority"]["chain"].startswith("-----BEGIN CERTIFICATE-----")
        renewed = admin.post(f"{API}renew/")
        assert renewed.status_code == 200
        assert renewed.json()["fingerprint"] != body["fingerprint"]
        assert "PRIVATE" not in admin.get(API).content.decode()

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ({"days": 0}, {"days"}),
            ({"days": "30"}, {"days"}),
            ({"key": "dsa"}, {"key"}),
            ({"names": ["a b"]}, {"names"}),
            ({"names": "a"}, {"names"}),
            ({"common_name": "x" * 65}, {"common_name"}),
            ({"new_authority": "yes"}, {"new_authority"}),
            ({"colour": "red"}, {"colour"}),
        ],
    )
    def test_a_wrong_wish_is_named(self, admin: Client, body: dict, fields: set[str]) -> None:
        answer = admin.post(API, body, "application/json")
        assert answer.status_code == 400
        assert set(answer.json()["errors"]) == fields
        assert not Certificate.objects.exists()

    def test_it_imports_pkcs12_and_pem(self, admin: Client, pki: Pki) -> None:
        file = base64.b64encode(pki.pkcs12("site", "right")).decode()
        wrong = admin.post(f"{API}import/", {"pkcs12": file, "password": "wrong-word"}, "application/json")
        assert wrong.status_code == 400
        assert wrong.json()["errors"] == {"pkcs12": ["The password of the file is wrong."]}
        taken = admin.post(f"{API}import/", {"pkcs12": file, "password": "right"}, "application/json")
        assert taken.status_code == 201
        assert taken.json()["certificate"]["issuer"] == "Company issuing"
        assert taken.json()["warnings"] == []
        text = pki.text("site.pem", "site.key", "middle.pem").decode()
        assert admin.post(f"{API}import/", {"pem": text}, "application/json").status_code == 201
        for body in ({}, {"pem": text, "pkcs12": file}, {"pkcs12": "not base64!"}):
            assert admin.post(f"{API}import/", body, "application/json").status_code == 400
        assert admin.post(f"{API}renew/").status_code == 409

    def test_a_request_waits_and_is_forgotten(self, admin: Client) -> None:
        assert admin.get(f"{API}request/").status_code == 404
        made = admin.post(f"{API}request/", {"names": ["portal.example.net"]}, "application/json")
        assert made.status_code == 201
        assert admin.get(f"{API}request/").json()["pem"] == made.json()["pem"]
        assert admin.get(API).json()["requested_at"] is not None
        assert admin.delete(f"{API}request/").status_code == 204
        assert not CertificateRequest.objects.exists()

    def test_others_are_refused(self, client: Client) -> None:
        client.force_login(make_user("operator"))
        assert client.get(API).status_code == 403
        for path in ("", "renew/", "import/", "request/"):
            assert client.post(f"{API}{path}", {}, "application/json").status_code == 403
        assert client.delete(f"{API}request/").status_code == 403


class TestFindings:
    """What preflight and the page say."""

    def said(self) -> list[tuple[str, str]]:
        return [(each.grade, each.found) for each in checking.findings()]

    def test_off_is_well_on_loopback_and_doubtful_elsewhere(self, settings) -> None:
        settings.BIND = "127.0.0.1,::1"
        assert self.said() == [("well", "off")]
        settings.BIND = "0.0.0.0"
        assert self.said() == [("doubtful", "Passwords come in clear over the network.")]
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        assert self.said() == [("well", "off")]

    def test_on_is_looked_at(self, monkeypatch) -> None:
        options.set_value("https", True, COMMAND)
        assert self.said() == [("well", "A certificate will be made at the next start.")]
        made = services.create(services.usual_wish(), COMMAND)
        assert self.said() == [("well", f"{made.subject} until {made.not_after:%Y-%m-%d}")]
        options.set_value("tls_minimum", "1.0", COMMAND)
        assert self.said() == [("doubtful", "TLS 1.0 is allowed, which is broken.")]
        options.set_value("tls_minimum", "1.2", COMMAND)
        services.create(Wish.of("elsewhere.example", [], "ec-p256", 30), COMMAND)
        assert [grade for grade, _found in self.said()] == ["doubtful"]
        assert "The certificate names none of: " in self.said()[0][1]

    def test_a_key_of_another_file_is_said(self, settings, tmp_path: Path) -> None:
        options.set_value("https", True, COMMAND)
        services.create(services.usual_wish(), COMMAND)
        settings.SECRETS_KEY_FILE = str(tmp_path / "other.key")
        assert self.said() == [("forbidden", "The key of the certificate cannot be decrypted.")]
        with pytest.raises(Conflict, match="cannot be decrypted"):
            services.create(services.usual_wish(), COMMAND)
        with pytest.raises(Conflict, match="cannot be decrypted"):
            services.renew(COMMAND)
        made = services.create(services.usual_wish(), COMMAND, new_authority=True)
        assert self.said() == [("well", f"{made.subject} until {made.not_after:%Y-%m-%d}")]

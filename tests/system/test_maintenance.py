"""What browsers and programs get on the sockets of the web process while the tables are changed."""

import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apps.system import maintenance
from apps.system.processes import WEB_DESCRIPTORS


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Two listening sockets, as the supervisor hands them down: it does not block on them."""
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    for each in opened:
        each.setblocking(False)
    monkeypatch.setenv(WEB_DESCRIPTORS, ",".join(str(each.fileno()) for each in opened))
    yield [each.getsockname()[1] for each in opened]
    for each in opened:
        each.close()


def ask(port: int, path: str = "/", method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


def test_both_ports_show_a_page_that_comes_back_by_itself(ports: list[int]) -> None:
    with maintenance.shown():
        for port in ports:
            answer, page = ask(port, "/components/7/?tab=sensors")
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert answer.headers["Cache-Control"] == "no-store"
            assert "The portal is being upgraded" in page
            assert '<html lang="en">' in page
        for path in re.findall(r'(?:href|src)="(/[^"]+)"', page):
            file, content = ask(ports[0], path)
            assert (file.status, len(content) > 100) == (200, True)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_it_speaks_the_readers_language(ports: list[int], settings) -> None:
    with maintenance.shown():
        preferred = ask(ports[0], Accept_Language="ja-JP,ja;q=0.9,en;q=0.8")[1]
        chosen = ask(ports[0], Cookie=f"{settings.LANGUAGE_COOKIE_NAME}=ja; other=1", Accept_Language="en")[1]
        unknown = ask(ports[0], Accept_Language="fr,*;q=0.1", Cookie='"; broken=')[1]
    assert '<html lang="ja">' in preferred
    assert '<html lang="ja">' in chosen
    assert '<html lang="en">' in unknown


def test_programs_get_a_problem(ports: list[int]) -> None:
    with maintenance.shown():
        answer, body = ask(ports[0], "/api/v1/components/", "POST")
        head, nothing = ask(ports[0], "/", "HEAD")
    assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "The portal is being upgraded and comes back by itself. Ask again in a moment.",
    }
    assert (head.status, nothing) == (503, "")


def test_whoever_asks_while_it_ends_waits_for_the_web_process(ports: list[int], monkeypatch) -> None:
    """The sockets stay open: what connects afterwards stands in the line of whoever takes them over."""
    with maintenance.shown():
        assert ask(ports[0])[0].status == 503
    waiting = socket.create_connection(("127.0.0.1", ports[0]), timeout=5)
    with maintenance.shown():
        waiting.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert waiting.recv(12) == b"HTTP/1.0 503"
    waiting.close()


def test_nonsense_and_silence_hold_nobody_up(ports: list[int]) -> None:
    with maintenance.shown():
        silent = [socket.create_connection(("127.0.0.1", ports[0]), timeout=5) for _ in range(maintenance.AT_ONCE - 4)]
        rude = socket.create_connection(("127.0.0.1", ports[0]), timeout=5)
        rude.sendall(b"\x16\x03\x01\x02\x00" + b"\xff" * 3000)
        assert ask(ports[0])[0].status == 503
    for each in (*silent, rude):
        each.close()


def test_without_sockets_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEB_DESCRIPTORS, raising=False)
    with maintenance.shown():
        pass


def test_it_is_shown_through_tls_where_the_client_begins_so(ports: list[int], tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "portal")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "both.pem").write_bytes(plain + certificate.public_bytes(serialization.Encoding.PEM))
    encryption = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    encryption.load_cert_chain(tmp_path / "both.pem")
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with maintenance.shown(encryption):
        connection = http.client.HTTPSConnection("127.0.0.1", ports[0], timeout=10, context=trusting)
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert (answer.status, "The portal is being upgraded" in answer.read().decode()) == (503, True)
        connection.close()
        assert ask(ports[1])[0].status == 503

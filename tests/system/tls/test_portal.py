"""A whole portal that speaks HTTPS, by programs that we did not write: openssl and curl."""

import re
import socket
import ssl
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import migrated
from tests.peers import program
from tests.system.portal import NAME, PASSWORD, PROJECT, Portal, environment, manage
from tests.system.tls.files import openssl
from tests.system.waiting import until

pytestmark = pytest.mark.xdist_group("tls")

WITHIN = 60.0  # seconds: a command that makes a key, on a machine that does other things too


def encrypted(folder: Path) -> str:
    """Have the portal's own command encrypt the first password."""
    done = subprocess.run(
        [sys.executable, "manage.py", "encrypt"],
        cwd=PROJECT,
        env=environment(folder),
        input=PASSWORD,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    folder = tmp_path_factory.mktemp("tls") / "data"
    migrated.put(folder)
    started = Portal(
        folder,
        ESM_TLS="true",
        ESM_BIND="127.0.0.1,::1",
        ESM_REDIRECT_PORT="0",
        ESM_ADMIN_NAME=NAME,
        ESM_ADMIN_PASSWORD=encrypted(folder),
    ).wait_until_ready()
    yield started
    started.kill()


@pytest.fixture(scope="module")
def authority(portal: Portal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of the portal's authority, as the command gives it."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_text(manage("tls", "authority", folder=portal.folder).stdout)
    return path


def port_of(url: str | None) -> int:
    return int(urllib.parse.urlsplit(url).port or 0)


def curl(authority: Path, url: str, *words: str) -> str:
    """Ask with a client that believes this authority alone; give status line, headers and body."""
    command = [program("curl", "curl"), "-sS", "-i", "-m", "20", "--noproxy", "*", "--cacert", authority, *words, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_start_says_https_and_the_password_was_encrypted(portal: Portal) -> None:
    assert portal.url.startswith("https://127.0.0.1:")
    assert portal.url_of("Classic mode").startswith("https://127.0.0.1:")
    assert "Made a certificate for " in portal.output()
    assert PASSWORD not in portal.output()


def test_both_ports_and_both_families_are_believed(portal: Portal, authority: Path) -> None:
    pages, classic = port_of(portal.url), port_of(portal.url_of("Classic mode"))
    for host in ("127.0.0.1", "[::1]", "localhost"):
        old = curl(authority, f"https://{host}:{pages}/esmpro/Login/index")
        assert old.startswith("HTTP/1.1 302 ")
        assert "\nLocation: /login/" in old
        assert curl(authority, f"https://{host}:{pages}/login/").startswith("HTTP/1.1 200 ")
        assert "\nLocation: /login/?next=/" in curl(authority, f"https://{host}:{classic}/")
    command = [program("curl", "curl"), "-sS", "--noproxy", "*", portal.url]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN)
    assert "self-signed certificate" in refused.stderr or "unable to get local issuer" in refused.stderr


def test_openssl_verifies_chain_name_and_versions(portal: Portal, authority: Path) -> None:
    for port in (port_of(portal.url), port_of(portal.url_of("Classic mode"))):
        ask = ("s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", authority, "-verify_return_error", "-brief")
        said = openssl(*ask, "-verify_ip", "127.0.0.1", text="Q\n")
        assert "Protocol version: TLSv1.3\n" in said
        assert "Verification: OK\n" in said
        old = openssl(*ask, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", text="Q\n", fails=True)
        assert "Protocol version" not in old


def sign_in(portal: Portal, authority: Path, folder: Path) -> str:
    """Sign in by curl as a browser does; give the answer."""
    jar = ("-c", str(folder / "jar"), "-b", str(folder / "jar"))
    page = curl(authority, f"{portal.url}login/", *jar)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    form = urllib.parse.urlencode({"username": NAME, "password": PASSWORD, "csrfmiddlewaretoken": token})
    return curl(authority, f"{portal.url}login/", *jar, "-H", f"Referer: {portal.url}login/", "-d", form)


def test_a_session_lives_in_protected_cookies_on_both_ports(portal: Portal, authority: Path, tmp_path: Path) -> None:
    answer = sign_in(portal, authority, tmp_path)
    assert answer.startswith("HTTP/1.1 302 ")
    cookies = re.findall(r"^Set-Cookie: (__Host-esm_(?:session|csrf)_\d+)=.*$", answer, re.MULTILINE)
    assert len(cookies) == 2
    lines = [line for line in re.findall(r"^Set-Cookie: .*$", answer, re.MULTILINE) if "esm_left_" not in line]
    for line in lines:
        assert line.startswith("Set-Cookie: __Host-")
        assert {"HttpOnly", "Secure", "Path=/"} <= set(line.strip().split("; ")[1:])
        assert "SameSite=" in line
    for url in (f"{portal.url}about/", str(portal.url_of("Classic mode"))):
        assert curl(authority, url, "-b", str(tmp_path / "jar")).startswith("HTTP/1.1 200 ")
    assert "Built with" in curl(authority, f"{portal.url}about/", "-b", str(tmp_path / "jar"))
    assert curl(authority, f"{portal.url}about/").startswith("HTTP/1.1 302 ")


def test_plain_http_is_led_on_from_every_port(portal: Portal, authority: Path) -> None:
    pages, classic = port_of(portal.url), port_of(portal.url_of("Classic mode"))
    found = manage("preflight", folder=portal.folder, ESM_TLS="true").stdout
    assert re.search(r"^pass  HTTPS +", found, re.MULTILINE)
    leading = next(number for number in listening(portal) if number not in {pages, classic})
    for asked, led in ((pages, pages), (classic, classic), (leading, pages)):
        answer = curl(authority, f"http://127.0.0.1:{asked}/login/?next=/a")
        assert answer.startswith("HTTP/1.1 307 ")
        assert f"\nLocation: https://127.0.0.1:{led}/login/?next=/a" in answer
    told = curl(authority, f"http://127.0.0.1:{pages}/api/v1/tokens/", "-d", "{}")
    assert told.startswith("HTTP/1.1 400 ")
    assert "This port speaks HTTPS" in told


def listening(portal: Portal) -> set[int]:
    """Give the TCP ports that the web process listens on."""
    sockets = psutil.Process(portal.pids()["web"]).net_connections(kind="tcp4")
    return {one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN}


def shown(port: int) -> tuple[ssl.SSLSocket, str]:
    """Open a connection; give it with the serial number of the certificate that it saw."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opened = context.wrap_socket(socket.create_connection(("127.0.0.1", port), WITHIN))
    text = ssl.DER_cert_to_PEM_cert(opened.getpeercert(binary_form=True))
    return opened, openssl("x509", "-noout", "-serial", text=text).strip().partition("=")[2].lower()


def answers(opened: ssl.SSLSocket) -> bool:
    opened.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    got = b""
    while not got.endswith(b"\r\n\r\nok\n") and (data := opened.recv(65536)):
        got += data
    return got.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_new_certificate_is_taken_over_without_a_restart(portal: Portal, authority: Path) -> None:
    port, web = port_of(portal.url), portal.pids()["web"]
    before = shown(port)[1]
    command = [sys.executable, "manage.py", "tls", "create", "--key", "rsa-2048"]
    variables = environment(portal.folder, ESM_BIND="127.0.0.1,::1")
    making = subprocess.Popen(command, cwd=PROJECT, env=variables, stdout=subprocess.PIPE, text=True)
    old, _serial = shown(port)
    until(lambda: answers(old) and making.poll() is not None, "the command has made it", WITHIN)
    said = making.communicate()[0]
    assert making.returncode == 0
    serial = re.search(r"serial +([0-9a-f]+)", said)[1]
    assert serial.lstrip("0") != before.lstrip("0")

    def seen() -> str:
        assert answers(old)  # the connection of before goes on all the while
        opened, found = shown(port)
        opened.close()
        return found.lstrip("0")

    until(lambda: seen() == serial.lstrip("0"), "new connections see it")
    assert answers(old)
    assert portal.pids()["web"] == web
    assert curl(authority, f"{portal.url}login/").startswith("HTTP/1.1 200 ")
    old.close()


def test_a_name_that_is_not_the_portals_is_refused(portal: Portal, authority: Path) -> None:
    answer = curl(authority, f"{portal.url}login/", "-H", "Host: evil.example")
    assert answer.startswith("HTTP/1.1 400 ")
    assert "is not a name of this portal" in answer


def test_files_come_with_the_headers_of_pages(portal: Portal, authority: Path) -> None:
    page = curl(authority, f"{portal.url}login/")
    file = re.search(r'href="(/static/css/app[^"]+)"', page)[1]
    answer = curl(authority, portal.url.rstrip("/") + file, "-r", "0-0")
    wanted = ("X-Content-Type-Options: nosniff", "Cross-Origin-Resource-Policy: same-origin", "X-Frame-Options: DENY")
    for header in wanted:
        assert header.lower() in answer.lower()
    assert "content-security-policy: " in answer.lower()
    assert "strict-transport-security" not in answer.lower()

"""A browser that trusts the portal's own authority, and one that does not: both ports by HTTPS, from the sign-in on."""

import base64
import hashlib
import subprocess
import sys
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Browser, Error

from tests import migrated
from tests.e2e.conftest import Visit, launch, leave, sign_in
from tests.e2e.portal import ROOT, Portal


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal whose environment switches HTTPS on."""
    portal = Portal(tmp_path_factory.mktemp("https"), {"ESM_TLS": "true"})
    migrated.put(portal.folder)
    portal.start()
    yield portal
    portal.stop()


@pytest.fixture(scope="module")
def trusting(encrypted: Portal, browser: Browser) -> Iterator[Browser]:
    """Chromium that believes what the authority signed, and nobody else."""
    command = [sys.executable, "manage.py", "tls", "authority"]
    variables = encrypted.started_with
    text = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, check=True, timeout=60).stdout
    key = x509.load_pem_x509_certificate(text).public_key()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    trusted = base64.b64encode(hashlib.sha256(spki).digest()).decode()
    believer = launch(browser.browser_type, f"--ignore-certificate-errors-spki-list={trusted}")
    yield believer
    believer.close()


def test_one_signs_in_once_for_both_ports_and_every_cookie_is_protected(encrypted: Portal, trusting: Browser) -> None:
    context = trusting.new_context()
    page = sign_in(context, encrypted)
    visit = Visit(page)
    page.on("console", visit.listen)
    with page.expect_request("**/events/stream/") as stream:
        page.goto(f"{encrypted.url}/alerts/")
    assert stream.value.url.startswith(encrypted.url)
    page.goto(f"{encrypted.classic_url}/")
    assert page.title().startswith("Classic mode")
    assert page.evaluate("document.cookie") == ""
    cookies = context.cookies()
    assert {cookie["name"] for cookie in cookies} >= {
        f"__Host-esm_session_{encrypted.http_port}",
        f"__Host-esm_csrf_{encrypted.http_port}",
    }
    assert all(cookie["name"].startswith("__Host-") for cookie in cookies)
    for cookie in cookies:
        assert (cookie["secure"], cookie["httpOnly"], cookie["path"]) == (True, True, "/")
        assert cookie["sameSite"] in {"Lax", "Strict"}
    page.goto(f"{encrypted.url}/https/")
    page.click("text=Renew >> nth=0")
    page.click("dialog[open] button.pri")
    page.wait_for_selector(".toast")
    assert "The certificate was renewed" in page.inner_text(".toast")
    assert visit.complaints == []
    leave(context)


def test_an_address_typed_without_https_leads_there(encrypted: Portal, trusting: Browser) -> None:
    context = trusting.new_context()
    page = context.new_page()
    for port, path in ((encrypted.http_port, "esmpro/Login/index"), (encrypted.classic_port, "")):
        page.goto(f"http://127.0.0.1:{port}/{path}")
        assert page.url.startswith(f"https://127.0.0.1:{port}/login/")
    leave(context)


def test_the_sign_in_page_says_how_to_trust_it(encrypted: Portal, trusting: Browser) -> None:
    context = trusting.new_context()
    page = context.new_page()
    page.goto(f"{encrypted.url}/login/")
    page.click("text=Does your browser not trust this portal?")
    assert page.url == f"{encrypted.url}/https/trust/"
    with page.expect_download() as download:
        page.click("text=portal-ca.pem >> nth=0")
    assert download.value.suggested_filename == "portal-ca.pem"
    leave(context)


def test_a_browser_that_does_not_know_the_authority_refuses(encrypted: Portal, browser: Browser) -> None:
    page = browser.new_context().new_page()
    with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
        page.goto(f"{encrypted.url}/login/")
    leave(page.context)


def test_a_console_goes_through_https(encrypted: Portal, trusting: Browser) -> None:
    """The WebSocket passes our own front; nobody answers at the controller, and that is what it says."""
    context = trusting.new_context()
    page = sign_in(context, encrypted)
    said = page.evaluate(
        """async () => {
            const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
            const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
            const send = (path, body) => fetch(`/api/v1${path}`, {method: "POST", headers, body: JSON.stringify(body)});
            const post = async (path, body) => (await send(path, body)).json();
            const fields = {username: "admin", password: "nobody asks for it"};
            const login = await post("/credentials/", {name: "silent", kind: "password", fields});
            const way = {driver: "bmc", address: "127.0.0.1", port: 1, credential: login.id};
            const made = await post("/components/", {name: "silent", interfaces: [way]});
            const socket = new WebSocket(`wss://${location.host}/components/${made.id}/console/attach/`);
            return await new Promise((done) => {
                const heard = [];
                socket.onmessage = (event) => heard.push(JSON.parse(event.data));
                socket.onclose = (event) => done({code: event.code, heard});
            });
        }"""
    )
    assert said["code"] == 4000
    assert (said["heard"][0]["phase"], said["heard"][-1]["phase"], said["heard"][-1]["end"]) == (
        "opening",
        "ended",
        "failed",
    )
    leave(context)

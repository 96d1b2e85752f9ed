"""How much of a body is read before anybody is asked who he is."""

import asyncio
import json
from typing import Any

import pytest

from apps.access.models import AllowedAddress
from apps.access.services import addresses
from apps.alerts.services import files
from apps.core.models import AuditEntry
from apps.monitoring.services import nic_file
from esm.asgi import application
from esm.settings import base

pytestmark = pytest.mark.django_db(transaction=True)
STRANGER = "203.0.113.9"
PIECE = b"x" * 1000


@pytest.fixture(autouse=True)
def _short(settings):
    settings.LARGEST_REQUEST = 10 * len(PIECE)
    addresses.forget()
    yield
    addresses.forget()


class Sender:
    """Somebody who sends a body in pieces, and reads the answer."""

    def __init__(self, pieces: int, *, path: str = "/login/", client: str = "127.0.0.1", length: int | None = None):
        headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/octet-stream")]
        headers.append((b"transfer-encoding", b"chunked") if length is None else (b"content-length", b"%d" % length))
        self.scope: dict[str, Any] = {
            **{"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "query_string": b""},
            **{"path": path, "raw_path": path.encode(), "headers": headers},
            **{"client": (client, 1234), "server": ("127.0.0.1", 21120)},
        }
        self.left = pieces
        self.taken = 0
        self.status = 0
        self.body = b""
        self.headers: dict[bytes, bytes] = {}

    async def receive(self) -> dict[str, Any]:
        if not self.left:
            await asyncio.Future()
        self.left -= 1
        self.taken += 1
        return {"type": "http.request", "body": PIECE, "more_body": self.left > 0}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.lower(): value for name, value in message["headers"]}
        self.body += message.get("body", b"")

    def go(self) -> "Sender":
        """Send it all."""
        asyncio.run(asyncio.wait_for(application(self.scope, self.receive, self.send), 20))
        return self


def test_what_is_announced_too_long_is_not_read():
    sent = Sender(11, length=10_001).go()
    assert (sent.status, sent.taken) == (413, 0)
    assert sent.body.startswith(b"413 Request Entity Too Large\n\nWhat was sent is larger than ")
    assert sent.headers[b"content-type"] == b"text/plain; charset=utf-8"
    assert b"content-security-policy" in sent.headers


def test_what_becomes_too_long_is_read_no_further():
    sent = Sender(60).go()
    assert (sent.status, sent.taken) == (413, 11)


def test_a_program_gets_problem_details():
    sent = Sender(60, path="/api/v1/components/").go()
    assert (sent.status, sent.taken, sent.headers[b"content-type"]) == (413, 11, b"application/problem+json")
    assert json.loads(sent.body)["status"] == 413


def test_what_fits_is_read_whole_and_goes_on():
    sent = Sender(10, length=10_000).go()
    assert sent.taken == 10
    assert sent.status == 403  # it came without the form's token
    assert Sender(10).go().taken == 10


def test_of_a_stranger_nothing_is_read_once_that_is_known():
    first, second = Sender(9, client=STRANGER).go(), Sender(9, client=STRANGER, length=9000).go()
    assert (first.status, first.taken, second.status, second.taken) == (403, 9, 403, 0)
    assert b"is not allowed to connect" in second.body
    assert AuditEntry.objects.filter(action="address.connect").exists()
    assert Sender(60, client=STRANGER).go().status == 403  # and nobody tells him how much would be too much


def test_who_was_allowed_at_this_very_moment_is_asked_to_send_it_again(monkeypatch):
    Sender(1, client=STRANGER).go()
    AllowedAddress.objects.create(network=f"{STRANGER}/32", note="")
    known = addresses._networks
    monkeypatch.setattr("apps.access.middleware.may_connect", lambda client: True)
    assert known == []
    sent = Sender(1, client=STRANGER).go()
    assert (sent.status, sent.taken, sent.headers[b"retry-after"]) == (503, 0, b"1")
    addresses.forget()
    assert Sender(1, client=STRANGER).go().taken == 1


def test_a_proxy_asks_for_somebody_else(settings):
    Sender(1, client=STRANGER).go()
    settings.TRUSTED_PROXIES = [STRANGER]
    assert Sender(3, client=STRANGER).go().taken == 3


def test_the_largest_file_fits_however_json_writes_it():
    largest = max(files.LARGEST, nic_file.LARGEST)
    assert len(json.dumps({"text": "\x00" * largest})) < base.LARGEST_REQUEST

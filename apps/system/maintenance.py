"""What browsers and programs get while the tables are changed: a page in their language, 503 to programs.

The step that prepares the start shows it on the sockets of the web process, which the supervisor keeps open; what
connects between the one and the other waits in the kernel, so nobody is refused.
"""

import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from apps.system.processes import WEB_DESCRIPTORS
from apps.system.tls.middleware import PREFIX

RETRY_AFTER = 5  # seconds
AT_ONCE = 32  # connections that are answered at the same time; more are closed
TLS_HANDSHAKE = b"\x16"  # the first byte of every TLS connection (RFC 8446 §5.1)
PATIENCE = 5.0  # seconds that a client gets to ask
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILES = {  # what the page needs besides itself
    "/maintenance/page.css": (Path("css", "maintenance.css"), "text/css; charset=utf-8"),
    "/maintenance/page.js": (Path("js", "maintenance.js"), "text/javascript; charset=utf-8"),
}


class _Answer(BaseHTTPRequestHandler):
    """Says the same to everybody, whatever was asked; what was sent with it is not read."""

    server: "_Server"
    server_version, sys_version = "portal", ""
    timeout = PATIENCE

    def _say(self) -> None:
        if self.path in FILES:
            self._send(self.server.files[self.path], FILES[self.path][1], HTTPStatus.OK)
        elif self.path.startswith("/api/"):
            self._send(self.server.problem, "application/problem+json")
        else:
            self._send(self.server.pages[self._language()], "text/html; charset=utf-8")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _say

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE) -> None:
        self.close_connection = True
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Retry-After", str(RETRY_AFTER)),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _language(self) -> str:
        """Choose as the portal does: what was chosen here before, else what the browser prefers."""
        chosen = SimpleCookie()
        try:
            chosen.load(self.headers.get("Cookie", ""))
        except CookieError:
            chosen.clear()
        cookie = chosen.get(settings.LANGUAGE_COOKIE_NAME) or chosen.get(PREFIX + settings.LANGUAGE_COOKIE_NAME)
        words = [cookie.value] if cookie else []
        words += [word.partition(";")[0].strip() for word in self.headers.get("Accept-Language", "").split(",")]
        return next((short for word in words if (short := word[:2].lower()) in self.server.pages), "en")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal is for the start."""


class _Server(ThreadingHTTPServer):
    """Answers on a socket that somebody else opened."""

    daemon_threads = True

    def __init__(
        self, opened: socket.socket, pages: dict[str, bytes], problem: bytes, encryption: ssl.SSLContext | None
    ) -> None:
        super().__init__(opened.getsockname()[:2], _Answer, bind_and_activate=False)
        self.socket.close()
        self.socket = opened
        self.pages, self.problem, self._encryption = pages, problem, encryption
        self.files = {path: (settings.BASE_DIR / "static" / file).read_bytes() for path, (file, _) in FILES.items()}
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, while there is a place."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answer, through TLS where the client begins so."""
        request.settimeout(PATIENCE)
        if self._encryption is None or request.recv(1, socket.MSG_PEEK) != TLS_HANDSHAKE:
            super().finish_request(request, client_address)
            return
        with self._encryption.wrap_socket(request, server_side=True) as encrypted:
            super().finish_request(encrypted, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave a client that went away."""

    def server_close(self) -> None:
        """Let go of the socket; the supervisor has it, too."""
        self.socket.close()


@contextmanager
def shown(encryption: ssl.SSLContext | None = None) -> Iterator[None]:
    """Show the page on the sockets that were handed down, as long as the work inside lasts.

    With ``encryption``, who begins with a handshake of TLS is answered through it.
    """
    numbers = [int(word) for word in os.environ.get(WEB_DESCRIPTORS, "").split(",") if word]
    if not numbers:
        yield
        return
    pages, problem = _pages(), _problem()
    servers = [_Server(_copy(number), pages, problem, encryption) for number in numbers]
    threads = [threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _copy(number: int) -> socket.socket:
    """Take a descriptor of its own for a socket that others go on with."""
    return socket.socket(fileno=os.dup(number))


def _pages() -> dict[str, bytes]:
    found = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found[language] = render_to_string("maintenance.html", {"language": language}).encode()
    return found


def _problem() -> bytes:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    detail = "The portal is being upgraded and comes back by itself. Ask again in a moment."
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    return json.dumps(body).encode()

"""A whole portal, started as a user starts it, and a client that speaks its API from the documentation alone."""

import json
import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.peers import free_udp_port
from tests.system.waiting import until, until_answer

ROOT = Path(__file__).resolve().parent.parent.parent
ADMIN, PASSWORD = "admin", "correct horse battery"
QUICK = {"DJANGO_SETTINGS_MODULE": "tests.e2e.settings"}  # of a portal that many sign in to
START_WITHIN = 90.0  # seconds


def free_tcp_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Portal:
    """``manage.py up`` on ports and a data folder of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    http_port: int = field(default_factory=free_tcp_port)
    classic_port: int = field(default_factory=free_tcp_port)
    trap_port: int = field(default_factory=free_udp_port)
    event_port: int = field(default_factory=free_tcp_port)
    start_within: float = START_WITHIN
    said: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    started_with: dict[str, str] = field(default_factory=dict)  # the environment of all its processes

    @property
    def url(self) -> str:
        """Give the address without a slash at its end."""
        return f"{self.scheme}://127.0.0.1:{self.http_port}"

    @property
    def scheme(self) -> str:
        """Give what both ports speak."""
        return "https" if self.environment.get("ESM_TLS") == "true" else "http"

    @property
    def classic_url(self) -> str:
        """Give the address of classic mode."""
        return f"{self.scheme}://127.0.0.1:{self.classic_port}"

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("ESM_", "DJANGO_"))}
        environment |= {
            "ESM_DATA_DIR": str(self.folder),
            "ESM_HTTP_PORT": str(self.http_port),
            "ESM_CLASSIC_PORT": str(self.classic_port),
            "ESM_TRAP_PORT": str(self.trap_port),
            "ESM_EVENT_PORT": str(self.event_port),
            "ESM_ADMIN_NAME": ADMIN,
            "ESM_ADMIN_PASSWORD": PASSWORD,
            "PYTHONUNBUFFERED": "1",
        }
        environment.pop("DATABASE_URL", None)
        environment.pop("REDIS_URL", None)
        environment |= self.environment
        self.started_with = environment
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up"],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        try:
            until(lambda: self._is_ready() or self._has_ended(), "“Portal ready”", self.start_within)
        except BaseException:
            self.stop()  # nobody else knows of it
            raise
        if not self._is_ready():
            raise AssertionError("the portal does not start:\n" + "".join(self.said[-40:]))

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout
        self.said.extend(process.stdout)

    def _is_ready(self) -> bool:
        return any("Portal ready" in line for line in list(self.said))

    def _has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)


class Refused(Exception):
    """The API answered with a status that says no."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


@dataclass
class Client:
    """Speaks JSON with a bearer token."""

    url: str
    token: str = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request; raises Refused with the problem that came back."""
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
            raise Refused(error.code, json.loads(text) if text else None) from None
        return json.loads(text) if text else None

    def get(self, path: str) -> Any:
        """Read."""
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """Create, or act."""
        return self.call("POST", path, body if body is not None else {})

    def patch(self, path: str, body: Any) -> Any:
        """Change."""
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> Any:
        """Remove."""
        return self.call("DELETE", path)

    def sign_in(self, name: str = ADMIN, password: str = PASSWORD) -> "Client":
        """Get a token."""
        self.token = self.post("/tokens/", {"username": name, "password": password, "name": "test"})["token"]
        return self

    def wait_for(self, path: str, holds: Callable[[Any], bool], what: str, seconds: float = 30) -> Any:
        """Ask until the answer is as wanted; give it."""
        return until_answer(lambda: self.get(path), holds, what, seconds)

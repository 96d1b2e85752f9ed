"""A whole portal of its own for one test: ``manage.py up`` on ports that the system chooses and a new data folder."""

import http.client
import http.cookiejar
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import psutil
import pytest

from apps.system.instance import Instance
from tests.system.waiting import until

PROJECT = Path(__file__).resolve().parent.parent.parent
START_WITHIN = 90  # seconds; many tests share two cores
NAME, PASSWORD = "Operator1", "a-long-first-password-1"


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Give the environment of a portal on a folder; nothing of the test's own settings leaks in."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ESM_") and name not in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    }
    ports = dict.fromkeys(("ESM_HTTP_PORT", "ESM_CLASSIC_PORT", "ESM_TRAP_PORT", "ESM_EVENT_PORT"), "0")
    return {**inherited, **ports, "ESM_DATA_DIR": str(folder), "ESM_WORKERS": "1", **variables}


def manage(*words: str, folder: Path, timeout: float = 60, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one command of the portal to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=environment(folder, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def runs(pid: int) -> bool:
    """Tell whether a process runs; one that ended and waits for its parent does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect as it is."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        """Follow nothing."""


class Portal:
    """A portal that is being started or runs."""

    def __init__(self, folder: Path, *, terminal: int = subprocess.DEVNULL, **variables: str) -> None:
        """Start; ``terminal`` is what it reads from."""
        self.folder = folder
        self.log = folder.with_name(folder.name + ".log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=PROJECT,
                env=environment(folder, **variables),
                stdin=terminal,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # away from the terminal of whoever runs the tests
            )

    def output(self) -> str:
        """Give everything that it printed."""
        return self.log.read_text()

    def wait_until_it_says(self, text: str) -> None:
        """Wait for a text in its output."""

        def said() -> bool:
            assert self.process.poll() is None, self.output()
            return text in self.output()

        until(said, text, START_WITHIN)

    def wait_until_ready(self) -> "Portal":
        """Wait for the line that a person waits for, and the one after it."""
        self.wait_until_it_says("Portal ready: ")
        until(lambda: self.url_of("Classic mode"), "the second address")
        return self

    def url_of(self, what: str) -> str | None:
        """Give a printed address."""
        found = re.search(rf"^{what}: +(https?://\S+)$", self.output(), re.MULTILINE)
        return found[1] if found else None

    @property
    def url(self) -> str:
        """Give the address of the pages."""
        url = self.url_of("Portal ready")
        assert url is not None
        return url

    def get(self, path: str) -> tuple[int, str]:
        """Ask for a page; give status and body, 0 where nobody answers."""
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def sign_in(self) -> str:
        """Sign the first administrator in; give the Cookie header of the session."""
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(jar), urllib.request.ProxyHandler({}), NoRedirect
        )
        page = browser.open(self.url + "login/", timeout=20).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        form = {"username": NAME, "password": PASSWORD, "csrfmiddlewaretoken": token}
        request = urllib.request.Request(
            self.url + "login/", urllib.parse.urlencode(form).encode(), {"Referer": self.url + "login/"}
        )
        with pytest.raises(urllib.error.HTTPError) as answer:  # the redirect to the first page is not followed
            browser.open(request, timeout=20)
        assert answer.value.code == 302
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)

    def pids(self) -> dict[str, int]:
        """Give the processes that run, by name."""
        return {p.name: p.pid for p in Instance(self.folder).processes() if p.state == "running" and p.pid}

    def family(self) -> list[int]:
        """Give the ids of everything that it started."""
        return [each.pid for each in psutil.Process(self.process.pid).children(recursive=True)]

    def kill(self) -> None:
        """End it without a word, as a test's last act."""
        self.process.kill()
        self.process.wait()

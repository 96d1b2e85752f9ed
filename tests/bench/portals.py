"""A portal to be measured: started as a user starts it, filled by a program, visited by a browser of few words."""

import http.cookiejar
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.portal import ADMIN, PASSWORD, ROOT, Portal

START_WITHIN = 600.0  # seconds; on a machine that is not quiet, too
SETTLE = 15.0  # seconds that a portal gets before anything is measured


class Failed(Exception):
    """A part could not be measured, or what was measured breaks a promise."""


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[Portal]:
    """Run a portal on a data folder of its own."""
    folder.mkdir()
    portal = Portal(folder, environment=environment, start_within=START_WITHIN)
    try:
        _start(portal)
        time.sleep(SETTLE)
        yield portal
    finally:
        portal.stop()


def _start(portal: Portal) -> None:
    try:
        portal.start()
    except AssertionError as error:
        raise Failed(str(error)) from error


def pid_of(portal: Portal) -> int:
    """Give the process above all of a running portal's."""
    if portal.process is None:
        raise Failed("the portal does not run")
    return portal.process.pid


def populate(portal: Portal, *arguments: str) -> str:
    """Run a verb of ``tests.bench.population`` in the portal's environment; give what it prints."""
    return _run(portal, "-m", "tests.bench.population", *arguments)


def set_option(portal: Portal, name: str, value: object) -> None:
    """Set an option of a running portal."""
    _run(portal, "manage.py", "option", "set", name, str(value))


def _run(portal: Portal, *command: str) -> str:
    environment = {**portal.started_with, "DJANGO_SETTINGS_MODULE": "esm.settings.prod"}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def signed_in(portal: Portal, name: str = ADMIN, password: str = PASSWORD) -> urllib.request.OpenerDirector:
    """Sign in by the page and keep the cookies."""
    jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy())
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    with browser.open(f"{portal.url}/login/") as page:
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.read())
    if token is None:
        raise Failed("the sign-in page has no form")
    given = {"csrfmiddlewaretoken": token[1].decode(), "username": name, "password": password}
    with browser.open(f"{portal.url}/login/", urllib.parse.urlencode(given).encode()) as answer:
        if "/login/" in answer.url:
            raise Failed(f"{name} cannot sign in")
    return browser

"""The second engine that the guide names: Firefox ESR from the sign-in page to a registered component (SYS-04)."""

import json
import subprocess
from pathlib import Path

from tests.e2e.portal import ADMIN, PASSWORD, Client, Portal
from tests.peers import program

HERE = Path(__file__).parent


def test_firefox_signs_in_and_registers(portal: Portal, api: Client) -> None:
    """The form works without anything that only Chromium knows, and the console stays empty."""
    done = subprocess.run(
        [
            program("node", "nodejs"),
            str(HERE / "firefox.mjs"),
            portal.url,
            ADMIN,
            PASSWORD,
            program("firefox-esr", "firefox-esr"),
        ],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["messages"] == []
    found = api.get("/components/?q=from-firefox")
    assert [row["name"] for row in found["results"]] == ["from-firefox"]
    assert found["results"][0]["interfaces"][0]["driver"] == "alert_only"

"""The demonstration's own client of the portal's API: it registers its devices as any other program would."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

TIMEOUT = 30.0  # seconds
AT_ONCE = 1000  # rows of a page


class Refused(Exception):
    """The API said no; the message is its own."""


class Api:
    """Speaks JSON with a bearer token."""

    def __init__(self, url: str) -> None:
        """``url`` is the portal's address with a slash at its end."""
        self._url = f"{url}api/v1"
        self._token = ""
        self._token_id = 0
        self._browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request and give what came back; raises ``Refused``, or ``OSError`` while nobody answers."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}{path}", data, headers, method=method)  # noqa: S310 - our own
        try:
            with self._browser.open(request, timeout=TIMEOUT) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {path}: {error.code} {error.read().decode(errors='replace')[:500]}") from None
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        return json.loads(text) if text else None

    def sign_in(self, name: str, password: str) -> None:
        """Get a token."""
        body = {"username": name, "password": password, "name": "demonstration"}
        made = self.call("POST", "/tokens/", body)
        self._token, self._token_id = made["token"], made["id"]

    def sign_out(self) -> None:
        """Give the token back."""
        self.call("DELETE", f"/tokens/{self._token_id}/")

    def every(self, path: str) -> Iterator[dict[str, Any]]:
        """Give all rows of a list, page by page."""
        page, joined = 1, "&" if "?" in path else "?"
        while True:
            answer = self.call("GET", f"{path}{joined}limit={AT_ONCE}&page={page}")
            yield from answer["results"]
            if not answer["next"]:
                return
            page += 1

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """Create, or act."""
        made: dict[str, Any] = self.call("POST", path, body)
        return made

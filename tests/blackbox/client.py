"""A client of the REST API that knows nothing but its description: every refusal must be a problem of RFC 9457."""

import http.client
import json
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.system.waiting import until_answer

ENVELOPE = {"count", "next", "previous", "results"}
PROBLEM = {"type", "title", "status", "detail", "instance"}
ENDED = {"done", "failed", "cancelled"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Caller:
    """Sends requests as one user, by a bearer token; without one as nobody."""

    url: str
    token: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, raw: bytes | None = None, **headers: str) -> Answer:
        """Send one request; a path without ``/api/`` is one of version 1."""
        where = urllib.parse.urlsplit(self.url)
        target = urllib.parse.urlsplit(path)
        way = target.path if target.path.startswith("/api") else f"/api/v1/{target.path}"
        full = f"{way}?{target.query}" if target.query else way
        sent = {"Content-Type": "application/json", "Accept": "application/json", **self.headers}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
        try:
            connection.request(method, full, data, sent)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        found = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, found, json.loads(text) if text else None)
        if answer.status >= 400 and method != "HEAD":
            check_problem(answer)
        return answer

    def get(self, path: str, status: int = 200, **headers: str) -> Any:
        """Read; give the body."""
        return self._expect("GET", path, None, status, headers)

    def post(self, path: str, body: Any = None, status: int = 201, **headers: str) -> Any:
        """Create or act; give the body."""
        return self._expect("POST", path, {} if body is None else body, status, headers)

    def patch(self, path: str, body: Any, status: int = 200, **headers: str) -> Any:
        """Change; give the body."""
        return self._expect("PATCH", path, body, status, headers)

    def delete(self, path: str, status: int = 204, **headers: str) -> Any:
        """Remove."""
        return self._expect("DELETE", path, None, status, headers)

    def _expect(self, method: str, path: str, body: Any, status: int, headers: Mapping[str, str]) -> Any:
        answer = self.send(method, path, body, **headers)
        assert answer.status == status, f"{method} {path} answered {answer.status}: {answer.body}"
        return answer.body

    def rows(self, path: str) -> list[dict[str, Any]]:
        """Read a list; its envelope has exactly the agreed keys."""
        page = self.get(path)
        assert set(page) == ENVELOPE
        return list(page["results"])

    def errors(self, method: str, path: str, body: Any) -> set[str]:
        """Send what is not valid; give the names of the fields that are complained about."""
        answer = self.send(method, path, body)
        assert answer.status == 400, f"{method} {path} {body} answered {answer.status}: {answer.body}"
        return set(answer.body["errors"])

    def as_holder_of(self, token: str) -> "Caller":
        """Give the same client with another token."""
        return replace(self, token=token)

    def sign_in(self, username: str, password: str, **more: Any) -> "Caller":
        """Get a token for a name and a password."""
        anybody = replace(self, token="")
        made = anybody.post("tokens/", {"username": username, "password": password, "name": "black box", **more})
        return self.as_holder_of(made["token"])

    def wait(self, path: str, holds: Callable[[Any], object], what: str, seconds: float = 40) -> Any:
        """Ask until the answer is as wanted; give it."""
        return until_answer(lambda: self.get(path), holds, what, seconds)

    def finish(self, accepted: Mapping[str, Any], seconds: float = 60) -> dict[str, Any]:
        """Wait for the end of the job of a 202; give the job."""
        assert set(accepted) == {"job", "url"}
        path = urllib.parse.urlsplit(accepted["url"]).path
        assert path == f"/api/v1/jobs/{accepted['job']}/"
        job: dict[str, Any] = self.wait(path, lambda job: job["state"] in ENDED, "the job has ended", seconds)
        return job

    def steps(self, job: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Give the steps of a job."""
        return self.rows(urllib.parse.urlsplit(job["steps_url"]).path)


def check_problem(answer: Answer) -> None:
    """A refusal is a problem: the media type, the members, the status in the body, the fields on 400."""
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json", answer
    assert isinstance(answer.body, dict), answer
    assert set(answer.body) - {"errors"} == PROBLEM, answer
    assert answer.body["status"] == answer.status
    assert answer.body["title"]
    assert answer.body["detail"]
    assert ("errors" in answer.body) == (answer.status == 400), answer
    for name, sentences in answer.body.get("errors", {}).items():
        assert isinstance(name, str), answer
        assert sentences, answer
        assert all(isinstance(sentence, str) and sentence for sentence in sentences), answer

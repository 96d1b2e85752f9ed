"""One conversation with one Redfish service (DSP0266): signs in, asks, orders, and signs out whatever happens."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from apps.protocols import pinning
from apps.protocols.errors import AuthenticationFailed, DeviceError, Stage, Unreachable, Unsupported
from apps.protocols.redfish import answers
from apps.protocols.redfish.answers import Answer, Refused

ROOT = "/redfish/v1/"
MOST_BYTES = 8 * 1024 * 1024  # of one answer, unpacked
MOST_MEMBERS = 2_000  # of one collection
MOST_PAGES = 50
AT_ONCE = 4  # requests; management controllers are small
SIGN_OUT_WITHIN = 2.0  # seconds
SETTLES_AFTER = 2.0  # seconds between two looks at a service that is still switching off

_NO_FREE_SESSION = frozenset({"SessionLimitExceeded", "SessionLimitReached", "MaximumSessionsReached"})
_REFUSED_LOGIN = frozenset(
    {
        "UnauthorizedLoginAttempt",
        "NoValidSession",
        "AccessDenied",
        "InsufficientPrivilege",
        "ResourceAtUriUnauthorized",
        "PasswordChangeRequired",
    }
)
_NO_SESSIONS = frozenset({404, 405, 501})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RedfishTarget:
    """How to reach a service. ``pin`` is the SHA-256 of its certificate; empty: whatever it shows is taken."""

    address: str
    port: int = 443
    username: str = ""
    password: str = field(default="", repr=False)
    pin: str = ""
    answer_within: float = 10.0  # seconds for one answer
    whole_within: float = 300.0  # seconds for the whole conversation


class RedfishClient:
    """An open conversation. ``async with`` signs in and out; constructing opens nothing."""

    def __init__(self, target: RedfishTarget) -> None:
        self.target = target
        self.pin = target.pin
        self.shown: pinning.Shown | None = None  # the certificate, where it is seen for the first time
        self.root: Mapping[str, Any] = {}
        self._base = URL.build(scheme="https", host=target.address, port=target.port)
        self._http: aiohttp.ClientSession | None = None
        self._headers: dict[str, str] = {}
        self._session_path = ""
        self._accepted = False
        self._ends_at = float("inf")
        self._expand: str | None = None

    def __repr__(self) -> str:
        return f"RedfishClient({self.target.address}, {self.target.port})"

    async def __aenter__(self) -> Self:
        """Connect, compare the certificate, read the service root and sign in; raises the ContactError of a stage."""
        self._ends_at = time.monotonic() + self.target.whole_within
        # Whoever is interrupted while signing in would leave a session behind that nobody can end.
        opening = asyncio.ensure_future(self._open())
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(opening, SIGN_OUT_WITHIN)
            await self.close()
            raise
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Sign out and close the connections; errors are only logged, for there is nobody to act on them."""
        http, self._http = self._http, None
        if http is None:
            return
        try:
            if self._session_path:
                async with asyncio.timeout(SIGN_OUT_WITHIN):
                    url = self._base.join(URL(self._session_path, encoded=True))
                    async with http.delete(url, headers=self._headers, ssl=pinning.CONTEXT):
                        pass
        except (aiohttp.ClientError, OSError) as error:
            log.warning("%s: signing out failed (%s)", self.target.address, type(error).__name__)
        finally:
            self._session_path, self._headers = "", {}
            await http.close()

    # --- signing in ---------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        address, port = self.target.address, self.target.port
        if not self.pin:
            self.shown = await pinning.shown(address, port, within=self._patience())
            self.pin = self.shown.fingerprint
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(bytes.fromhex(self.pin)), limit=AT_ONCE),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # every request has a deadline of its own
            headers={"Accept": "application/json", "OData-Version": "4.0"},
        )
        self.root = await self._read_root()
        if "RedfishVersion" not in self.root and "ServiceRoot" not in str(self.root.get("@odata.type")):
            raise DeviceError("%(address)s answers, but shows no Redfish service", address=address)
        self._expand = _expansion(self.root)
        if self.target.username:
            await self._sign_in()

    async def _read_root(self) -> Mapping[str, Any]:
        """Read the service root, which is free for everybody (DSP0266 §13.2) but for services that are too strict."""
        status, data, _headers = await self._exchange("GET", ROOT)
        if status == 401 and self.target.username:
            self._headers = self._basic()
        return data if status < 300 else (await self._ask("GET", ROOT)).data

    def _basic(self) -> dict[str, str]:
        return {"Authorization": aiohttp.encode_basic_auth(self.target.username, self.target.password)}

    async def _sign_in(self) -> None:
        """Open a session (DSP0266 §13.3.4); a service without sessions gets the login with every request."""
        path = self._sessions_path()
        login = {"UserName": self.target.username, "Password": self.target.password}
        answer = None
        if path:
            self._headers = {}
            status, data, headers = await self._exchange("POST", path, login)
            if status not in _NO_SESSIONS:
                answer = self._judge_sign_in(status, data, headers, path)
        if answer is not None:
            self._headers = {"X-Auth-Token": answer.headers["X-Auth-Token"]}
            self._accepted = True
            # Some name themselves in it by a name that we did not come by: the path is what counts.
            place = answer.headers.get("Location") or str(answer.data.get("@odata.id") or "")
            self._session_path = urlsplit(place).path
        else:
            self._headers = self._basic()

    def _sessions_path(self) -> str:
        links = self.root.get("Links")
        sessions = links.get("Sessions") if isinstance(links, Mapping) else None
        if isinstance(sessions, Mapping) and isinstance(sessions.get("@odata.id"), str):
            return str(sessions["@odata.id"])
        return f"{ROOT}SessionService/Sessions" if "SessionService" in self.root else ""

    def _judge_sign_in(self, status: int, data: Mapping[str, Any], headers: Mapping[str, str], path: str) -> Answer:
        address, ids = self.target.address, set(answers.message_ids(data))
        if status < 300 and headers.get("X-Auth-Token"):
            return Answer(status, data, headers)
        if ids & _NO_FREE_SESSION or status in (429, 503):
            raise Unreachable(
                "%(address)s has no free session: too many are signed in", stage=Stage.SIGN_IN, address=address
            )
        if status in (401, 403) or ids & _REFUSED_LOGIN:
            raise AuthenticationFailed(
                "%(address)s refuses the login of %(user)s", address=address, user=self.target.username
            )
        if status < 300:
            raise DeviceError("%(address)s opens a session without a token", stage=Stage.SIGN_IN, address=address)
        error = answers.failure(status, "", address, path)  # its words may repeat what we sent
        error.stage = Stage.SIGN_IN
        raise error

    # --- asking and ordering ------------------------------------------------------------------------------------------

    async def get(self, path: str) -> Mapping[str, Any]:
        """Read a resource; raises a ContactError."""
        return (await self._ask("GET", path)).data

    async def post(self, path: str, body: Mapping[str, Any], *, while_settling: float = 0.0) -> Answer:
        """Order something, once.

        An order that is refused with 409 was not carried out. For ``while_settling`` seconds it is given again: for a
        machine that is still busy switching off, and for nothing else.
        """
        until = time.monotonic() + while_settling
        while True:
            try:
                return await self._ask("POST", path, body)
            except Refused as error:
                if error.status != 409 or time.monotonic() + SETTLES_AFTER > until:
                    raise
            await asyncio.sleep(SETTLES_AFTER)

    async def patch(self, path: str, body: Mapping[str, Any], *, tag: str = "") -> Answer:
        """Change properties of a resource; a service that asks for the resource's version gets it.

        With ``tag`` only that version is changed: a resource that is another one meanwhile raises Refused (412).
        """
        if tag:
            return await self._ask("PATCH", path, body, {"If-Match": tag})
        try:
            return await self._ask("PATCH", path, body)
        except Refused as error:
            if error.status not in (412, 428):
                raise
        tag = (await self._ask("GET", path)).headers.get("ETag", "*")
        return await self._ask("PATCH", path, body, {"If-Match": tag})

    async def delete(self, path: str) -> None:
        """Remove a resource, once; raises Unsupported for one that is not there."""
        await self._ask("DELETE", path)

    async def members(self, path: str, *, most: int = MOST_MEMBERS) -> list[Mapping[str, Any]]:
        """Read a collection's members, in one answer where the service can (``$expand``), else one by one."""
        return await self.resolve(await self.listed(path, most=most))

    async def listed(self, path: str, *, most: int = MOST_MEMBERS) -> list[Mapping[str, Any]]:
        """List a collection, however many pages it has: its members, or links to them."""
        found: list[Mapping[str, Any]] = []
        following: str | None = path
        for _ in range(MOST_PAGES):
            if following is None or len(found) >= most:
                break
            page = await self._page(following)
            told = page.get("Members")
            found += [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
            next_page = page.get("Members@odata.nextLink")
            following = next_page if isinstance(next_page, str) else None
        return found[:most]

    async def resolve(self, found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Read what is only a link; what is a resource already stays. What has gone meanwhile is left out."""

        async def one(member: Mapping[str, Any]) -> Mapping[str, Any] | None:
            link = member.get("@odata.id")
            if len(member) > 1 or not isinstance(link, str):
                return member
            try:
                return await self.get(link)
            except Unsupported:
                return None

        return [member for member in await asyncio.gather(*map(one, found)) if member is not None]

    async def _page(self, path: str) -> Mapping[str, Any]:
        if self._expand and "?" not in path:
            try:
                return await self.get(f"{path}?{self._expand}")
            except (Refused, Unsupported):
                self._expand = None  # it says that it can, and cannot
        return await self.get(path)

    async def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        status, data, found = await self._exchange(method, path, body, headers)
        if status < 300:
            self._accepted = self._accepted or bool(self._headers)
            return Answer(status, data, found)
        address = self.target.address
        if status == 401 and not self._accepted:
            raise AuthenticationFailed(
                "%(address)s refuses the login of %(user)s", address=address, user=self.target.username
            )
        if status == 401:
            raise Unreachable("%(address)s ended our session", stage=Stage.SIGN_IN, address=address)
        raise answers.failure(status, self._without_secrets(answers.words(data)), address, path)

    async def _exchange(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, Any], Mapping[str, str]]:
        """Send one request; a reading is sent again once where the service had closed the connection meanwhile."""
        address, port = self.target.address, self.target.port
        if self._http is None:
            raise RuntimeError("the conversation is not open")
        url = self._base.join(URL(self._local(path), encoded=True))
        for last in (method != "GET", True):
            try:
                async with (
                    asyncio.timeout(self._patience()),
                    self._http.request(
                        method,
                        url,
                        json=body,
                        headers={**self._headers, **(headers or {})},
                        ssl=pinning.CONTEXT,
                        allow_redirects=method == "GET" and not self._headers,
                        max_redirects=2,
                    ) as response,
                ):
                    content = await self._read(response)
                    status, found = response.status, response.headers
            except aiohttp.ServerFingerprintMismatch as error:
                shown = error.got.hex()
                raise DeviceError(
                    pinning.OTHER_CERTIFICATE,
                    stage=Stage.PORT,
                    address=address,
                    shown=shown,
                    known=self.pin,
                ) from None
            except TimeoutError as error:
                raise Unreachable(
                    "%(address)s does not answer in time", stage=Stage.PROTOCOL, address=address
                ) from error
            except aiohttp.ClientConnectorError as error:
                raise pinning.connecting_failed(error.os_error, address, port) from None
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if last:
                    raise Unreachable(
                        "%(address)s breaks the connection off", stage=Stage.PROTOCOL, address=address
                    ) from None
                continue
            except aiohttp.ClientPayloadError:
                raise Unreachable(
                    "%(address)s breaks the connection off", stage=Stage.PROTOCOL, address=address
                ) from None
            except (aiohttp.ClientError, ValueError):
                raise DeviceError(
                    "%(address)s answers with something that is no Redfish resource", address=address
                ) from None
            return status, self._parse(status, content), found
        raise AssertionError("the last attempt returns or raises")

    def _parse(self, status: int, content: bytes) -> Mapping[str, Any]:
        try:
            return answers.parse(content, self.target.address)
        except DeviceError:
            if status >= 400:  # an error page; its number says enough
                return {}
            raise

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts, size = [], 0
        async for part in response.content.iter_chunked(65536):
            size += len(part)
            if size > MOST_BYTES:
                raise DeviceError("%(address)s answers without end", address=self.target.address)
            parts.append(part)
        return b"".join(parts)

    def _patience(self) -> float:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise Unreachable("%(address)s does not answer in time", stage=Stage.PROTOCOL, address=self.target.address)
        return min(self.target.answer_within, left)

    def _local(self, link: str) -> str:
        """Give the path of a link; a link to somewhere else is an error, for it would get our token."""
        try:
            parts = urlsplit(link)
            elsewhere = bool(parts.netloc) and (
                parts.scheme != "https"
                or (parts.hostname or "").lower() != self.target.address.lower()
                or (parts.port or 443) != self.target.port
            )
        except ValueError:
            elsewhere, parts = True, urlsplit("")
        path = parts.path
        if elsewhere or not path.startswith("/") or path.startswith("//") or "\\" in path:
            raise DeviceError("%(address)s links to another place", address=self.target.address)
        return f"{path}?{parts.query}" if parts.query else path

    def _without_secrets(self, text: str) -> str:
        for secret in (self.target.password, *self._headers.values()):
            if secret:
                text = text.replace(secret, "********")
        return text


def _expansion(root: Mapping[str, Any]) -> str | None:
    """Give the query that expands a collection (DSP0266 §7.3.4), as ``ProtocolFeaturesSupported`` says."""
    features = root.get("ProtocolFeaturesSupported")
    told = features.get("ExpandQuery") if isinstance(features, Mapping) else None
    if not isinstance(told, Mapping):
        return None
    sign = "." if told.get("NoLinks") is True else "*" if told.get("ExpandAll") is True else ""
    return f"$expand={sign}" + ("($levels=1)" if told.get("Levels") is True else "") if sign else None

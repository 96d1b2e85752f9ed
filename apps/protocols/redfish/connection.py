"""The way to one service: HTTP over TLS with a pinned certificate, deadlines, bounded answers, no links elsewhere."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from apps.protocols import pinning
from apps.protocols.errors import DeviceError, Stage, Unreachable
from apps.protocols.redfish import answers
from apps.protocols.redfish.answers import Answer
from apps.protocols.redfish.target import RedfishTarget

MOST_BYTES = 8 * 1024 * 1024  # of one answer, unpacked
AT_ONCE = 4  # connections; management controllers are small
SIGN_OUT_WITHIN = 2.0  # seconds

log = logging.getLogger(__name__)


class _FirstShown(aiohttp.Fingerprint):
    """Believes the certificate of the first connection, and from then on no other."""

    def __init__(self) -> None:
        super().__init__(bytes(hashlib.sha256().digest_size))
        self.shown: pinning.Shown | None = None

    def check(self, transport: asyncio.Transport) -> None:
        """Compare; aiohttp asks before it sends anything."""
        if self.shown is None:
            found = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            self.shown = pinning.read(found or b"")
            self._fingerprint = bytes.fromhex(self.shown.fingerprint)
        super().check(transport)


class Connection:
    """Sends requests to one service and reads what it answers. ``login`` are the headers that go with each of them."""

    def __init__(self, target: RedfishTarget) -> None:
        self.target = target
        self.answer_within = target.answer_within
        self._first = _FirstShown()
        self.login: Mapping[str, str] = {}
        self._base = URL.build(scheme="https", host=target.address, port=target.port)
        self._http: aiohttp.ClientSession | None = None
        self._ends_at = float("inf")

    @property
    def shown(self) -> pinning.Shown | None:
        """Give the certificate, where it is seen for the first time."""
        return self._first.shown

    @property
    def pin(self) -> str:
        """Give the SHA-256 of the certificate that is believed; empty while none is known."""
        return self.target.pin or (self.shown.fingerprint if self.shown is not None else "")

    async def open(self) -> None:
        """Let the time for all begin; the first request connects. Where no certificate is known, it holds no secret."""
        self._ends_at = time.monotonic() + self.target.whole_within
        known = aiohttp.Fingerprint(bytes.fromhex(self.pin)) if self.pin else self._first
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=known, limit=AT_ONCE),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # every request has a deadline of its own
            headers={"Accept": "application/json", "OData-Version": "4.0"},
        )

    async def close(self, session: str = "") -> None:
        """End the session of that path, if there is one, whatever time is left, and close all connections.

        Errors are only logged, for there is nobody to act on them.
        """
        http, self._http = self._http, None
        if http is None:
            return
        try:
            if session:
                async with asyncio.timeout(SIGN_OUT_WITHIN):
                    url = self._base.join(URL(session, encoded=True))
                    async with http.delete(url, headers=self.login, ssl=pinning.CONTEXT):
                        pass
        except (aiohttp.ClientError, OSError) as error:
            log.warning("%s: signing out failed (%s)", self.target.address, type(error).__name__)
        finally:
            self.login = {}
            await http.close()

    def _patience(self) -> float:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise Unreachable("%(address)s does not answer in time", stage=Stage.PROTOCOL, address=self.target.address)
        return min(self.answer_within, left)

    async def exchange(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
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
                        headers={**self.login, **(headers or {})},
                        ssl=pinning.CONTEXT,
                        allow_redirects=method == "GET" and not self.login,
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
                if not self.pin:
                    raise pinning.connecting_failed(error, address, port) from error
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
            return Answer(status, self._parse(status, content), found)
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

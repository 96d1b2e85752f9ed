"""One conversation with one Redfish service (DSP0266): signs in, asks, orders, and signs out whatever happens."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from apps.protocols import pinning
from apps.protocols.errors import AuthenticationFailed, DeviceError, Stage, Unreachable, Unsupported
from apps.protocols.redfish import answers
from apps.protocols.redfish.answers import Answer, Refused
from apps.protocols.redfish.connection import AT_ONCE, SIGN_OUT_WITHIN, Connection
from apps.protocols.redfish.target import RedfishTarget

ROOT = "/redfish/v1/"
MOST_MEMBERS = 2_000  # of one collection
MOST_PAGES = 50
LONG = 0.5  # seconds for few links, after which each such while brings another connection
WORTH_A_CONNECTION = 8  # links that each connection reads, if several are opened for them
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


class RedfishClient:
    """An open conversation. ``async with`` signs in and out; constructing opens nothing."""

    def __init__(self, target: RedfishTarget) -> None:
        self.target = target
        self.root: Mapping[str, Any] = {}
        self._connection = Connection(target)
        self._session_path = ""
        self._accepted = False
        self._expand: str | None = None

    @property
    def pin(self) -> str:
        """Give the SHA-256 of the certificate that is believed."""
        return self._connection.pin

    @property
    def shown(self) -> pinning.Shown | None:
        """Give the certificate where it was seen for the first time."""
        return self._connection.shown

    def __repr__(self) -> str:
        return f"RedfishClient({self.target.address}, {self.target.port})"

    async def __aenter__(self) -> Self:
        """Connect, compare the certificate, read the service root and sign in; raises the ContactError of a stage."""
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
        """Sign out and close the connections."""
        session, self._session_path = self._session_path, ""
        await self._connection.close(session)

    # --- signing in ---------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        await self._connection.open()
        self.root = await self._read_root()
        if "RedfishVersion" not in self.root and "ServiceRoot" not in str(self.root.get("@odata.type")):
            raise DeviceError("%(address)s answers, but shows no Redfish service", address=self.target.address)
        self._expand = _expansion(self.root)
        if self.target.username:
            await self._sign_in()

    async def _read_root(self) -> Mapping[str, Any]:
        """Read the service root, which is free for everybody (DSP0266 §13.2) but for services that are too strict."""
        answer = await self._connection.exchange("GET", ROOT)
        if answer.status == 401 and self.target.username:
            self._connection.login = self._basic()
        return answer.data if answer.status < 300 else (await self._ask("GET", ROOT)).data

    def _basic(self) -> dict[str, str]:
        return {"Authorization": aiohttp.encode_basic_auth(self.target.username, self.target.password)}

    async def _sign_in(self) -> None:
        """Open a session (DSP0266 §13.3.4); a service without sessions gets the login with every request."""
        path = self._sessions_path()
        login = {"UserName": self.target.username, "Password": self.target.password}
        answer = None
        if path:
            self._connection.login = {}
            told = await self._connection.exchange("POST", path, login)
            if told.status not in _NO_SESSIONS:
                answer = self._judge_sign_in(told, path)
        if answer is not None:
            self._connection.login = {"X-Auth-Token": answer.headers["X-Auth-Token"]}
            self._accepted = True
            # Some name themselves in it by a name that we did not come by: the path is what counts.
            place = answer.headers.get("Location") or str(answer.data.get("@odata.id") or "")
            self._session_path = urlsplit(place).path
        else:
            self._connection.login = self._basic()

    def _sessions_path(self) -> str:
        links = self.root.get("Links")
        sessions = links.get("Sessions") if isinstance(links, Mapping) else None
        if isinstance(sessions, Mapping) and isinstance(sessions.get("@odata.id"), str):
            return str(sessions["@odata.id"])
        return f"{ROOT}SessionService/Sessions" if "SessionService" in self.root else ""

    def _judge_sign_in(self, answer: Answer, path: str) -> Answer:
        address, status, ids = self.target.address, answer.status, set(answers.message_ids(answer.data))
        if status < 300 and answer.headers.get("X-Auth-Token"):
            return answer
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

    def wait_longer(self, seconds: float) -> None:
        """Give each answer from now on at least so many seconds."""
        self._connection.answer_within = max(self._connection.answer_within, seconds)

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
        """Read what is only a link; what is a resource already stays. What has gone meanwhile is left out.

        Few links are read one after another: another connection costs more than they do, unless answers take long.
        """
        members: list[Mapping[str, Any] | None] = list(found)
        links = [(place, link) for place, one in enumerate(members) if one is not None and (link := _only_link(one))]
        waiting = iter(links)

        async def take_turns() -> None:
            for place, link in waiting:
                try:
                    members[place] = await self.get(link)
                except Unsupported:
                    members[place] = None

        ways = -(-len(links) // WORTH_A_CONNECTION)
        await _with_company(take_turns, begin=min(ways, AT_ONCE), most=min(len(links), AT_ONCE))
        return [member for member in members if member is not None]

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
        answer = await self._connection.exchange(method, path, body, headers)
        status = answer.status
        if status < 300:
            self._accepted = self._accepted or bool(self._connection.login)
            return answer
        address = self.target.address
        if status == 401 and not self._accepted:
            raise AuthenticationFailed(
                "%(address)s refuses the login of %(user)s", address=address, user=self.target.username
            )
        if status == 401:
            raise Unreachable("%(address)s ended our session", stage=Stage.SIGN_IN, address=address)
        said, keys = self._without_secrets(answers.words(answer.data)), set(answers.message_ids(answer.data))
        raise answers.failure(status, said, address, path, keys)

    def _without_secrets(self, text: str) -> str:
        for secret in (self.target.password, *self._connection.login.values()):
            if secret:
                text = text.replace(secret, "********")
        return text


async def _with_company(work: Callable[[], Coroutine[Any, Any, None]], *, begin: int, most: int) -> None:
    """Let so many do a work together; as long as it takes, one more helps after each while."""
    helpers = [asyncio.create_task(work()) for _ in range(begin)]
    try:
        while len(helpers) < most:
            done, busy = await asyncio.wait(helpers, timeout=LONG, return_when=asyncio.FIRST_EXCEPTION)
            if not busy or any(one.exception() for one in done):
                break
            helpers.append(asyncio.create_task(work()))
        await asyncio.gather(*helpers)
    finally:
        for one in helpers:
            one.cancel()


def _only_link(member: Mapping[str, Any]) -> str | None:
    link = member.get("@odata.id")
    return link if len(member) == 1 and isinstance(link, str) else None


def _expansion(root: Mapping[str, Any]) -> str | None:
    """Give the query that expands a collection (DSP0266 §7.3.4), as ``ProtocolFeaturesSupported`` says."""
    features = root.get("ProtocolFeaturesSupported")
    told = features.get("ExpandQuery") if isinstance(features, Mapping) else None
    if not isinstance(told, Mapping):
        return None
    sign = "." if told.get("NoLinks") is True else "*" if told.get("ExpandAll") is True else ""
    return f"$expand={sign}" + ("($levels=1)" if told.get("Levels") is True else "") if sign else None

"""A conversation with a Redfish service: signing in, where things are, and each resource once."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from apps.drivers.contract import CheckStep, Driver, PowerState, Stage, Target
from apps.drivers.redfish import orders, places
from apps.drivers.redfish.values import Resource, identifier, joined, link, links, nested, text
from apps.protocols.errors import Unsupported
from apps.protocols.redfish import RedfishClient, RedfishTarget

T = TypeVar("T")
ANSWERS_SLOWER = 10  # times: a management controller looks at sensors only when it is asked
MOST_CHASSIS = 4


class RedfishConversation(Driver):
    """One conversation with one service; makers' drivers add what theirs has besides.

    ``state`` keeps the certificate's fingerprint (``pin``) and what it says of itself (``certificate``), and where the
    system is (``system``).
    """

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._found: dict[str, Any] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._state: dict[str, Any] = dict(target.state)
        self._client: RedfishClient

    async def __aenter__(self) -> Self:
        self._client = RedfishClient(self._how())
        await self._client.__aenter__()
        self._state["pin"] = self._client.pin
        if self._client.shown is not None:
            self._state["certificate"] = self._client.shown.facts()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    def _how(self) -> RedfishTarget:
        target = self.target
        if target.credential_kind != "password":
            raise Unsupported("A user name and a password are needed", stage=Stage.SIGN_IN)
        return RedfishTarget(
            address=target.address,
            port=target.port or 443,
            username=str(target.credential.get("username") or ""),
            password=str(target.credential.get("password") or ""),
            pin=self._pin(),
            answer_within=target.timeout * ANSWERS_SLOWER,
        )

    def _pin(self) -> str:
        entered = re.sub(r"[\s:]", "", str(self.target.parameters.get("certificate") or "")).lower()
        if entered and not re.fullmatch(r"[0-9a-f]{64}", entered):
            raise Unsupported("The fingerprint of the certificate is not 64 hexadecimal digits", stage=Stage.PORT)
        kept = self.target.state.get("pin")
        return entered or (kept if isinstance(kept, str) and re.fullmatch(r"[0-9a-f]{64}", kept) else "")

    @property
    def state(self) -> Mapping[str, Any]:
        """What the next contact wants to know of this one."""
        return self._state

    async def check(self) -> Sequence[CheckStep]:
        """Sign in and read the system."""
        system, root = await self._system(), self._client.root
        described = joined([found for found in (text(system, "Manufacturer"), text(system, "Model")) if found])
        return (
            CheckStep(Stage.PORT, "certificate %(fingerprint)s", {"fingerprint": self._client.pin}),
            CheckStep(Stage.SIGN_IN, "user %(user)s accepted", {"user": str(self.target.credential.get("username"))}),
            CheckStep(
                Stage.PROTOCOL,
                "Redfish version %(version)s: %(description)s",
                {
                    "version": text(root, "RedfishVersion") or "?",
                    "description": described or text(system, "Name") or "?",
                },
            ),
        )

    # --- where things are ---------------------------------------------------------------------------------------------

    async def _once(self, key: str, read: Callable[[], Awaitable[T]]) -> T:
        async with self._locks[key]:
            if key not in self._found:
                self._found[key] = await read()
            return cast(T, self._found[key])

    async def _order(self, order: Awaitable[object]) -> None:
        """Give an order, after which nothing is as it was read before."""
        try:
            await order
        finally:
            self._found.clear()

    async def _get(self, path: str) -> Resource:
        return await self._once(path, lambda: self._client.get(path))

    async def _members(self, source: Resource, *names: str) -> list[Resource]:
        """Read the collection that a property leads to; empty where there is none."""
        path = link(source, *names)
        if path is None:
            return []

        async def read() -> list[Resource]:
            try:
                return await self._client.members(path)
            except Unsupported:
                return []

        return await self._once(f"members of {path}", read)

    async def _listed_system(self) -> Resource:
        """Find the system in the list: whole where the service shows its list so, else a link to it."""
        listed = link(self._client.root, "Systems")
        found = [one for one in await self._client.listed(listed) if link(one)] if listed else []
        wanted = str(self.target.parameters.get("system") or "").strip()
        if wanted:
            found = [one for one in found if str(link(one)).rstrip("/").rpartition("/")[2] == wanted]
        if not found:
            raise Unsupported("%(address)s manages no such system", address=self.target.address)
        return found[0]

    async def _system(self) -> Resource:
        async def read() -> Resource:
            kept, wanted = self._state.get("system"), self.target.parameters.get("system")
            if isinstance(kept, str) and not wanted:
                with suppress(Unsupported):  # it has another name now
                    return await self._client.get(kept)
            found = await self._listed_system()
            self._state["system"] = path = str(link(found))
            return found if len(found) > 1 else await self._client.get(path)

        return await self._once("system", read)

    async def _ordered_system(self) -> tuple[str, Resource]:
        """Give the system with the path under which it takes orders."""
        system = await self._system()
        return str(self._state["system"]), system

    async def _chassis(self) -> list[Resource]:
        async def read() -> list[Resource]:
            paths = links(nested(await self._system(), "Links"), "Chassis")
            if not paths:
                return (await self._members(self._client.root, "Chassis"))[:MOST_CHASSIS]
            return await self._client.resolve({"@odata.id": path} for path in paths[:MOST_CHASSIS])

        return await self._once("chassis", read)

    def _look_anew(self) -> None:
        """Forget what is remembered of where things are; something was not as it should be."""
        self._state.pop("places", None)

    async def _managers(self) -> list[Resource]:
        async def read() -> list[Resource]:
            paths = links(nested(await self._system(), "Links"), "ManagedBy")
            if not paths:
                return (await self._members(self._client.root, "Managers"))[:MOST_CHASSIS]
            return await self._client.resolve({"@odata.id": path} for path in paths[:MOST_CHASSIS])

        return await self._once("managers", read)

    async def _places(self) -> list[tuple[Resource, str]]:
        """Give each chassis with what its keys begin with: nothing for the first, which is nearly always the only.

        Of each there are its links only: they are remembered, because a chassis grows no new ones between two polls.
        """
        paths = links(nested(await self._system(), "Links"), "Chassis")
        found = places.remembered(self._state.get("places"), paths, time.time())
        if found is None:
            found = [places.links_of(one) for one in await self._chassis()]
            self._state["places"] = {"at": int(time.time()), "of": paths, "chassis": found}
        return [(one, "" if place == 0 else f"{identifier(one)}.") for place, one in enumerate(found)]

    async def _is_off(self) -> bool:
        return orders.power_state(await self._system()) is PowerState.OFF

"""A conversation with a Redfish service: where things are, each resource once, and sections that may be slow."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar, cast

from apps.drivers.contract import CheckStep, Driver, Fact, PowerState, Stage, State, Status, Target
from apps.drivers.redfish import orders, parts, storage, supply, thermal
from apps.drivers.redfish.health import Told
from apps.drivers.redfish.kept import Kept, with_powered_off
from apps.drivers.redfish.values import Resource, identifier, joined, link, links, nested, objects, text
from apps.protocols.errors import AuthenticationFailed, ContactError, Unreachable, Unsupported
from apps.protocols.redfish import RedfishClient, RedfishTarget

T = TypeVar("T")
ANSWERS_SLOWER = 10  # times: a management controller looks at sensors only when it is asked
EVERY_TIME = 0.0
SELDOM = 540.0  # seconds; many questions about what changes rarely
RESTS = 1800.0  # seconds that a section which was too slow is left in peace
RESTS_SHORTLY = 300.0  # one that is wanted every time
WAITS = 0.5  # seconds until a slow section gets company: a connection costs more than all that is asked over it
MOST_CHASSIS = 4
MOST_DRIVES = 256

UNREAD = "%(part)s cannot be read: %(error)s"
SLOW_SECTION = "%(address)s did not answer within %(seconds)s s."

SECTIONS = {
    "cooling": "Cooling",
    "power": "Power supplies",
    "processors": "Processors",
    "memory": "Memory",
    "storage": "Storage",
    "network": "Network",
    "firmware": "Firmware",
    "managers": "Management controller",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the device that is read by itself: ``read`` asks, at most once in ``period`` seconds."""

    name: str  # a key of SECTIONS
    read: Callable[[], Awaitable[Told]]
    period: float = EVERY_TIME


@dataclass(frozen=True, slots=True)
class Answered:
    """How a section went: what it says now, what is kept of it, and what went wrong."""

    told: Told
    kept: Kept
    asked: bool = True
    error: ContactError | None = None

    @property
    def is_cut_off(self) -> bool:
        """Say whether nobody was there to answer, which is worse than being slow."""
        return isinstance(self.error, Unreachable) and not _was_slow(self.error)


class RedfishConversation(Driver):
    """One conversation with one service; makers' drivers add what theirs has besides.

    ``state`` keeps the certificate's fingerprint (``pin``) and what it says of itself (``certificate``), where the
    system is (``system``), and of each section its sensors, and what a poll does not ask every time (``sections``).
    """

    critical_is_caution: ClassVar[bool] = False

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._found: dict[str, Any] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._state: dict[str, Any] = dict(target.state)
        self._unread: set[str] = set()  # sections that did not answer in this conversation
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

    async def _system_path(self) -> str:
        async def read() -> str:
            listed = link(self._client.root, "Systems")
            found = await self._client.listed(listed) if listed else []
            paths = [path for one in found if (path := link(one)) is not None]
            wanted = str(self.target.parameters.get("system") or "").strip()
            if wanted:
                paths = [path for path in paths if path.rstrip("/").rpartition("/")[2] == wanted]
            if not paths:
                raise Unsupported("%(address)s manages no such system", address=self.target.address)
            return paths[0]

        return await self._once("system path", read)

    async def _system(self) -> Resource:
        async def read() -> Resource:
            kept, wanted = self._state.get("system"), self.target.parameters.get("system")
            if isinstance(kept, str) and not wanted:
                with suppress(Unsupported):  # it has another name now
                    return await self._client.get(kept)
            self._state["system"] = path = await self._system_path()
            return await self._client.get(path)

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

    async def _managers(self) -> list[Resource]:
        async def read() -> list[Resource]:
            paths = links(nested(await self._system(), "Links"), "ManagedBy")
            if not paths:
                return (await self._members(self._client.root, "Managers"))[:MOST_CHASSIS]
            return await self._client.resolve({"@odata.id": path} for path in paths[:MOST_CHASSIS])

        return await self._once("managers", read)

    async def _places(self) -> list[tuple[Resource, str]]:
        """Give each chassis with what its keys begin with: nothing for the first, which is nearly always the only."""
        found = await self._chassis()
        return [(one, "" if place == 0 else f"{identifier(one)}.") for place, one in enumerate(found)]

    async def _is_off(self) -> bool:
        return orders.power_state(await self._system()) is PowerState.OFF

    # --- sections -----------------------------------------------------------------------------------------------------

    def _sections(self) -> tuple[Section, ...]:
        return (
            Section("cooling", self._read_cooling),
            Section("power", self._read_supply),
            Section("processors", self._read_processors, SELDOM),
            Section("memory", self._read_memory, SELDOM),
            Section("storage", self._read_storage, SELDOM),
            Section("managers", self._read_managers, SELDOM),
        )

    async def _told(self) -> tuple[Told, Sequence[Fact]]:
        """Read all sections that are due; gives what they say, and which could not be read."""

        async def read() -> tuple[Told, Sequence[Fact]]:
            off = await self._is_off()
            sections = self._sections()
            answers = await self._answers(sections, off)
            asked = [answer for answer in answers if answer.asked]
            if asked and asked[0].error is not None and all(answer.is_cut_off for answer in asked):
                raise asked[0].error
            told = Told()
            facts = []
            for section, answer in zip(sections, answers, strict=True):
                told.add(answer.told)
                if answer.kept.trouble:
                    self._unread.add(section.name)
                    facts.append(_unread(section, answer.kept.trouble))
            self._state["sections"] = {
                section.name: answer.kept.to_state() for section, answer in zip(sections, answers, strict=True)
            }
            return told, facts

        return await self._once("told", read)

    async def _answers(self, sections: Sequence[Section], off: bool) -> list[Answered]:
        """Read sections one after another over one connection; the next does not wait for long for a slow one."""
        reading: list[asyncio.Task[Answered]] = []
        try:
            for section in sections:
                reading.append(asyncio.create_task(self._section(section, off)))
                await asyncio.wait(reading[-1:], timeout=WAITS)
            return await asyncio.gather(*reading)
        finally:
            for one in reading:
                one.cancel()

    async def _section(self, section: Section, off: bool) -> Answered:
        sections = self.target.state.get("sections")
        before = Kept.from_state(sections.get(section.name) if isinstance(sections, Mapping) else None)
        now = time.time()
        if before is not None and now < before.rests_until <= now + RESTS:
            return Answered(before.silent(), before, asked=False)
        if before is not None and not before.trouble and 0 <= now - before.read_at < section.period:
            return Answered(before.told, before, asked=False)
        kept = before or Kept(Told())
        try:
            told = await self._limited(section.read)
        except AuthenticationFailed:
            raise
        except ContactError as error:
            rest = RESTS if section.period else RESTS_SHORTLY
            kept = replace(kept, rests_until=now + rest if _was_slow(error) else 0.0, trouble=str(error))
            return Answered(kept.silent(), kept, error=error)
        told = with_powered_off(told, kept.told) if off else told
        return Answered(told, Kept(told, now if section.period else 0.0))

    async def _limited(self, read: Callable[[], Awaitable[T]]) -> T:
        """Give a section its time; raises Unreachable when it is over."""
        seconds = self.target.parameters.get("section_limit", 8)
        limit = float(seconds) if isinstance(seconds, int) and seconds > 0 else None
        try:
            async with asyncio.timeout(limit):
                return await read()
        except TimeoutError as error:
            raise Unreachable(
                SLOW_SECTION, stage=Stage.PROTOCOL, address=self.target.address, seconds=f"{limit or 0:g}"
            ) from error

    async def _read_cooling(self) -> Told:
        told, off = Told(), await self._is_off()
        for chassis, prefix in await self._places():
            if path := link(chassis, "Thermal"):
                found = await self._get(path)
                told.add(thermal.thermal(found, prefix, powered_off=off, critical_is_caution=self.critical_is_caution))
                continue
            if path := link(chassis, "ThermalSubsystem"):
                fans = await self._members(await self._get(path), "Fans")
                told.add(thermal.fans(fans, prefix, powered_off=off))
            told.add(thermal.sensors(await self._members(chassis, "Sensors"), prefix, powered_off=off))
        return told

    async def _read_supply(self) -> Told:
        told, off = Told(), await self._is_off()
        for chassis, prefix in await self._places():
            if path := link(chassis, "Power"):
                told.add(supply.power(await self._get(path), prefix, powered_off=off))
                continue
            if path := link(chassis, "PowerSubsystem"):
                told.add(supply.supplies(await self._members(await self._get(path), "PowerSupplies"), prefix))
            if path := link(chassis, "EnvironmentMetrics"):
                told.add(supply.consumption(await self._get(path), prefix))
        return told

    async def _read_processors(self) -> Told:
        return await self._summed("ProcessorSummary", "Processors", "processor", SECTIONS["processors"])

    async def _read_memory(self) -> Told:
        return await self._summed("MemorySummary", "Memory", "memory", SECTIONS["memory"])

    async def _summed(self, summary: str, collection: str, key: str, label: str) -> Told:
        """Read how parts are by their summary; each of them only where something is wrong, or nothing summed up."""
        system = await self._system()
        whole = parts.summary(system, summary, f"{key}.all", label, parts.KINDS[key])
        if (whole is not None and whole.status is Status.NORMAL) or await self._is_off():
            return Told(states=[whole] if whole is not None else [])
        bad = list(parts.failing(await self._members(system, collection), key, parts.KINDS[key]))
        return Told(states=bad or ([whole] if whole is not None else []))

    async def _read_storage(self) -> Told:
        return storage.told(await self._arrays())

    async def _read_managers(self) -> Told:
        return parts.managers(await self._managers())

    async def _arrays(self) -> list[storage.Array]:
        async def one(source: Resource) -> storage.Array:
            controllers = objects(source, "StorageControllers") or await self._members(source, "Controllers")
            drives = await self._client.resolve(objects(source, "Drives")[:MOST_DRIVES])
            return storage.Array(source, controllers, drives, await self._members(source, "Volumes"))

        async def read() -> list[storage.Array]:
            return list(await asyncio.gather(*map(one, await self._members(await self._system(), "Storage"))))

        return await self._once("arrays", read)

    def _facts(self, told: Iterable[State]) -> list[Fact]:
        """Give the causes that states make. What the system says of itself because of a part is not told twice."""
        facts = [fact for one in told if one.key != "system" and (fact := one.fact) is not None]
        own = next((one.fact for one in told if one.key == "system"), None)
        return facts if facts or own is None else [own]


def _was_slow(error: ContactError) -> bool:
    return isinstance(error.__cause__, TimeoutError)


def _unread(section: Section, trouble: str) -> Fact:
    return Fact(f"unread.{section.name}", Status.UNKNOWN, UNREAD, {"part": SECTIONS[section.name], "error": trouble})

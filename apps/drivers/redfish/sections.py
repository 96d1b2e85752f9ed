"""Sections of a device that may be slow: each is read by itself, under a limit and a period of its own."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

from apps.drivers.contract import Fact, Stage, State, Status, Target
from apps.drivers.redfish import parts, storage, supply, thermal
from apps.drivers.redfish.conversation import RedfishConversation
from apps.drivers.redfish.health import Told
from apps.drivers.redfish.kept import Kept, with_powered_off
from apps.drivers.redfish.turns import in_turn
from apps.drivers.redfish.values import Resource, link, objects
from apps.protocols.errors import AuthenticationFailed, ContactError, Unreachable

T = TypeVar("T")
EVERY_TIME = 0.0
SELDOM = 540.0  # seconds; many questions about what changes rarely
RESTS = 1800.0  # seconds that a section which was too slow is left in peace
RESTS_SHORTLY = 300.0  # one that is wanted every time
MOST_DRIVES = 256

UNREAD = "%(part)s cannot be read: %(error)s"
REST_TAKES = 2.0  # seconds that a conversation needs beside its sections
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


class RedfishSections(RedfishConversation):
    """A conversation that reads the parts of a machine; ``state`` keeps of each section its sensors, and what a poll
    does not ask every time (``sections``).
    """

    critical_is_caution: ClassVar[bool] = False

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._unread: set[str] = set()  # sections that did not answer in this conversation

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
            answers = await in_turn(self._section(section, off) for section in sections)
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
            self._look_anew()
            rest = RESTS if section.period else RESTS_SHORTLY
            kept = replace(kept, rests_until=now + rest if _was_slow(error) else 0.0, trouble=str(error))
            return Answered(kept.silent(), kept, error=error)
        told = with_powered_off(told, kept.told) if off else told
        return Answered(told, Kept(told, now if section.period else 0.0))

    async def _limited(self, read: Callable[[], Awaitable[T]]) -> T:
        """Give a section its time; raises Unreachable when it is over."""
        seconds = self.target.parameters.get("section_limit", 8)
        limit = float(seconds) if isinstance(seconds, int) and seconds > 0 else math.inf
        began = asyncio.get_running_loop().time()
        ends = min(began + limit, self.until - REST_TAKES if self.until is not None else math.inf)
        self._client.wait_longer(limit)
        try:
            async with asyncio.timeout_at(ends if ends < math.inf else None):
                return await read()
        except TimeoutError as error:
            waited = f"{max(ends - began, 0.0):.0f}"
            raise Unreachable(
                SLOW_SECTION, stage=Stage.PROTOCOL, address=self.target.address, seconds=waited
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
            return await in_turn(map(one, await self._members(await self._system(), "Storage")))

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

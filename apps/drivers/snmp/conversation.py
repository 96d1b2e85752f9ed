"""A conversation with an SNMP agent of any kind: who it is, its ports, and each table once per contact."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Self, TypeVar, cast

from apps.drivers.contract import (
    CheckStep,
    Driver,
    Fact,
    Identity,
    IdentityFacts,
    InventoryItem,
    InventoryKind,
    Port,
    Ports,
    PortsReport,
    Stage,
    Status,
    Target,
)
from apps.drivers.snmp import oids, ports, system
from apps.drivers.snmp.absence import Absence
from apps.drivers.snmp.client import snmp_client, snmp_target
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.rates import Interval, Snapshot
from apps.drivers.snmp.values import Cells, Scalars, date_and_time, line, number, object_identifier, ticks
from apps.protocols.errors import ContactError, DeviceError, Unreachable, Unsupported
from apps.protocols.snmp import Oid, SnmpClient, SnmpTarget, Table, Value

T = TypeVar("T")
_MOST_ROWS = 5_000  # of any table; an agent that has more goes on for ever
_ENTITY_ROWS = 4  # the chassis is among the first rows; the table may have thousands
_OTHER_VERSION = {"1": "2c", "2c": "1"}


class SnmpDriver(Driver, Identity, Ports):
    """One conversation with one SNMP agent; drivers add what their kind of device has.

    ``state`` keeps the last counters (``rates``), the ports that were up (``up``) and what the agent does not have
    (``absent``).
    """

    mibs: ClassVar[
        tuple[Mib, ...]
    ] = ()  # whose values come with the system group, in the same answer once all is known

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._found: dict[str, Any] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._state = dict(target.state)
        self._unreadable: list[Fact] = []
        self._absence = Absence.from_state(target.state.get("absent"))
        self._missed: set[Oid] = set()
        self._agent_version: str | None = None
        self._client: SnmpClient
        self._agent: SnmpTarget

    async def __aenter__(self) -> Self:
        self._agent = snmp_target(self.target)
        self._client = snmp_client()
        return self

    @property
    def state(self) -> Mapping[str, Any]:
        """What the next contact wants to know of this one."""
        return self._state

    async def check(self) -> Sequence[CheckStep]:
        """Ask for the system group; on silence, find out whether the agent speaks the other community version."""
        try:
            found = await self._system()
        except Unreachable as silence:
            await self._refuse_version(silence)
            raise
        if found.keys().isdisjoint(oids.SYSTEM):
            raise Unsupported("%(address)s answers, but shows no system group", address=self.target.address)
        seen = line(found.get(oids.SYS_DESCR)) or object_identifier(found.get(oids.SYS_OBJECT_ID)) or "SNMP"
        return (
            CheckStep(Stage.PORT, "UDP port %(port)s answers", {"port": str(self._agent.port)}),
            CheckStep(
                Stage.SIGN_IN,
                "user %(user)s accepted" if self._agent.version == "3" else "community accepted",
                {"user": self._agent.username},
            ),
            CheckStep(
                Stage.PROTOCOL,
                "SNMP version %(version)s: %(description)s",
                {"version": self._agent.version, "description": seen[:200]},
            ),
        )

    async def _refuse_version(self, silence: Unreachable) -> None:
        """Raise ``Unsupported`` when a silent agent answers to the same community in the other version."""
        other = _OTHER_VERSION.get(self._agent.version)
        if other is None or silence.stage is not Stage.SIGN_IN:
            return
        try:
            await self._client.get(replace(self._agent, version=other, retries=0), [oids.SYS_OBJECT_ID])
        except ContactError:
            return
        raise Unsupported(
            "%(address)s does not speak SNMP version %(version)s, but version %(other)s",
            address=self.target.address,
            version=self._agent.version,
            other=other,
        ) from silence

    async def identify(self) -> IdentityFacts:
        """Read the system group, the chassis row of ENTITY-MIB and the MAC addresses."""
        macs = [port.mac_address for port in await self._ports() if port.mac_address]
        return system.identity(
            await self._scalars(), system.chassis(await self._entity()), macs, self._agent_version, datetime.now(UTC)
        )

    async def read_ports(self) -> PortsReport:
        """Read ifTable and ifXTable."""
        return PortsReport(await self._ports(), system.uptime(await self._scalars()))

    # --- what drivers are made of -------------------------------------------------------------------------------------

    async def _about(self) -> InventoryItem:
        """Give the item of the whole device."""
        identity = await self.identify()
        clock = date_and_time((await self._scalars()).get(oids.HR_SYSTEM_DATE))
        about: dict[str, str | int | float | None] = {
            "Operating system": identity.operating_system,
            "Manufacturer": identity.manufacturer,
            "Model": identity.model,
            "Serial number": identity.serial_number,
            "Agent version": identity.agent_version,
            "Description": identity.description,
            "Clock (UTC)": clock.isoformat(timespec="seconds") if clock else None,
        }
        told = {label: value for label, value in about.items() if value is not None}
        name = identity.name or self.target.address
        return InventoryItem(InventoryKind.SYSTEM, "system", name, details=told, passing=frozenset({"Clock (UTC)"}))

    async def _port_facts(self) -> Iterable[Fact]:
        """Tell of ports that went down, and keep which were up."""
        found = await self._ports()
        remembered = self.target.state.get("up")
        was_up = (
            {index for index in remembered if isinstance(index, int)} if isinstance(remembered, list | tuple) else set()
        )
        self._state["up"] = ports.remembered_up(found, was_up)
        return ports.facts(found, was_up)

    async def _interval(self, further: Mapping[str, tuple[int | None, ...]] | None = None) -> Interval:
        """Give the time since the last contact with the counters of the ports and ``further`` ones, and keep these."""
        found = await self._ports()
        counters = {f"if.{port.index}": ports.counters(port) for port in found if ports.has_traffic(port)}
        counters.update(further or {})
        up = system.uptime(await self._scalars())
        now = Snapshot(self._found["ports.at"], up.total_seconds() if up is not None else None, counters)
        self._state["rates"] = now.to_state()
        return Interval.between(Snapshot.from_state(self.target.state.get("rates")), now)

    async def _meet(self, found: Scalars) -> None:
        """Look at the system group before anything else is asked; raises ``Unsupported`` where nothing shall be."""

    # --- one fetch, many readers --------------------------------------------------------------------------------------

    async def _once(self, key: str, read: Callable[[], Awaitable[T]]) -> T:
        async with self._locks[key]:
            if key not in self._found:
                self._found[key] = await read()
            return cast(T, self._found[key])

    async def _present(self, mibs: Sequence[Mib]) -> list[Mib]:
        """Give those that the agent has anything of: one question, until the absence of the others is known."""
        asked = [mib for mib in mibs if mib.root]
        if self._absence is not None:
            return [mib for mib in mibs if mib.root not in self._absence.oids]
        try:
            found = await self._client.get_next(self._agent, [mib.root for mib in asked]) if asked else []
        except DeviceError:
            return list(mibs)  # it cannot be asked this way: each table tells by itself
        gone = {mib for mib, bound in zip(asked, found, strict=True) if not bound.oid.startswith(f"{mib.root}.")}
        self._missed.update(mib.root for mib in gone)
        return [mib for mib in mibs if mib not in gone]

    async def _get(self, wanted: Sequence[Oid]) -> dict[Oid, Value]:
        found = await self._client.get(self._agent, wanted)
        self._missed.update(oid for oid in wanted if oid not in found)
        return found

    async def _table(self, columns: Sequence[Oid], **limits: int) -> Table:
        """Read columns of tables, without those that the agent is known not to have."""
        wanted = self._absence.without(columns) if self._absence else columns
        cells = await self._client.table(self._agent, wanted, max_rows=_MOST_ROWS, **limits) if wanted else {}
        self._missed.update(column for column in wanted if not cells[column])
        return cells

    async def _tables(self, mib: Mib) -> Cells:
        """Read the tables of a MIB in the same questions: each column goes on by itself until it ends.

        A MIB that cannot be read is told as a fact and costs nothing else.
        """

        async def read() -> Table:
            await self._scalars()
            columns = (*mib.columns, *mib.of_events)
            if mib in self._found["absent mibs"]:
                return {}
            try:
                return await self._table(columns, max_repetitions=mib.rows_at_once)
            except DeviceError as error:
                self._unreadable.append(
                    Fact(
                        f"{mib.name.removesuffix('-MIB').lower()}.unreadable",
                        Status.UNKNOWN,
                        "The agent's %(mib)s cannot be read: %(error)s",
                        {"mib": mib.name, "error": str(error)},
                    )
                )
                return {}
            finally:
                self._missed.difference_update(mib.of_events)

        return await self._once(mib.name, read)

    async def _remember_absence(self) -> None:
        """Keep what this contact found out; what an earlier one did stays as long as it holds."""
        if self._absence is None and not self._unreadable:
            self._state.pop("absent", None)
            await self._ports()
            if found := Absence.found(self._missed, self._found["ports.at"], _agents_uptime(await self._system())):
                self._state["absent"] = found.to_state()

    async def _system(self) -> Scalars:
        """Read the system group, and let the driver refuse the agent before anything else is asked.

        From an agent that is known well enough, everything else that is no table comes in the same answer.
        """

        async def read() -> Scalars:
            known = self._absence
            wanted = known.without((*oids.SYSTEM, *self._further_scalars(known))) if known else oids.SYSTEM
            found = await self._get(wanted)
            if known and not known.holds(time.time(), _agents_uptime(found)):
                self._absence = None
            await self._meet(found)
            return found

        return await self._once("system", read)

    def _further_scalars(self, known: Absence) -> Iterable[Oid]:
        return (oid for mib in self.mibs if mib.root not in known.oids for oid in mib.scalars)

    async def _scalars(self) -> Scalars:
        """Read the system group and all other values of the driver's MIBs that are no tables."""

        async def read() -> Scalars:
            found = await self._system()
            present = await self._present(self.mibs)
            self._found["absent mibs"] = frozenset(self.mibs) - frozenset(present)
            wanted = [oid for mib in present for oid in mib.scalars]
            return found if self._absence is not None or not wanted else {**found, **await self._get(wanted)}

        return await self._once("scalars", read)

    async def _entity(self) -> Sequence[Scalars]:
        """Read the first rows of ENTITY-MIB, among which the chassis is."""

        async def read() -> list[Scalars]:
            rows: list[Scalars] = []
            cursors = list(oids.ENTITY)
            for _ in range(_ENTITY_ROWS):
                answer = await self._client.get_next(self._agent, cursors)
                if not answer[0].oid.startswith(f"{oids.ENT_PHYSICAL_CLASS}."):
                    break
                index = answer[0].oid.removeprefix(oids.ENT_PHYSICAL_CLASS)
                rows.append(
                    {
                        column: bound.value
                        for column, bound in zip(oids.ENTITY, answer, strict=True)
                        if bound.oid == column + index
                    }
                )
                cursors = [column + index for column in oids.ENTITY]
            return rows

        return await self._once("entity", read)

    async def _ports(self) -> tuple[Port, ...]:
        async def read() -> tuple[Port, ...]:
            scalars = await self._system()
            expected = number(scalars.get(oids.IF_NUMBER)) or 0
            wide = () if self._agent.version == "1" else oids.WIDE_COUNTERS
            # 32-bit counters are read where a port has no others; at once, where that is known beforehand.
            lacks_wide = not wide or (self._absence is not None and oids.IF_HC_IN_OCTETS in self._absence.oids)
            narrow = oids.NARROW_COUNTERS if lacks_wide else ()
            cells = await self._table((*oids.INTERFACES, *wide, *narrow), expected_rows=expected)
            rows = cells.get(oids.IF_DESCR, {}).keys() | cells.get(oids.IF_OPER_STATUS, {}).keys()
            if not narrow and rows - cells.get(oids.IF_HC_IN_OCTETS, {}).keys():
                cells |= await self._table(oids.NARROW_COUNTERS, expected_rows=expected)
            if not rows:
                self._missed.difference_update(oids.INTERFACES, wide, oids.NARROW_COUNTERS)
            self._found["ports.at"] = time.time()
            return ports.ports(cells, ticks(scalars.get(oids.SYS_UP_TIME)))

        return await self._once("ports", read)


def _agents_uptime(scalars: Scalars) -> float | None:
    up = ticks(scalars.get(oids.SYS_UP_TIME))
    return up.total_seconds() if up is not None else None

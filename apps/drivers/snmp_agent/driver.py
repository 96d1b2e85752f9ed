"""Reads a device through its SNMP agent: each table once per contact, however many capabilities look at it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self, TypeVar, cast

from apps.drivers.contract import (
    CheckStep,
    Driver,
    Fact,
    Health,
    HealthReport,
    Identity,
    IdentityFacts,
    Inventory,
    InventoryItem,
    InventoryKind,
    Port,
    Ports,
    PortsReport,
    Reading,
    Sensors,
    Stage,
    Status,
    Target,
)
from apps.drivers.snmp_agent import oids
from apps.drivers.snmp_agent.absence import Absence
from apps.drivers.snmp_agent.parse import ports, processors, storage, system
from apps.drivers.snmp_agent.parse.rates import Interval, Snapshot
from apps.drivers.snmp_agent.parse.values import (
    Cells,
    Scalars,
    date_and_time,
    line,
    number,
    object_identifier,
    text,
    ticks,
)
from apps.drivers.snmp_clients import snmp_client
from apps.protocols.errors import ContactError, DeviceError, Unreachable, Unsupported
from apps.protocols.snmp import Oid, SnmpClient, SnmpTarget, Table, Value

T = TypeVar("T")
_HOST_ROWS_AT_ONCE = 12
_MOST_ROWS = 5_000  # of any table; an agent that has more goes on for ever
_ENTITY_ROWS = 4  # the chassis is among the first rows; the table may have thousands
_OTHER_VERSION = {"1": "2c", "2c": "1"}


class SnmpAgentDriver(Driver, Identity, Health, Inventory, Sensors, Ports):
    """One conversation with one SNMP agent."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._found: dict[str, Any] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._state = dict(target.state)
        self._unreadable: list[Fact] = []
        self._absence = Absence.from_state(target.state.get("absent"))
        self._missed: set[Oid] = set()
        self._version: str | None = None
        self._client: SnmpClient
        self._agent: SnmpTarget

    async def __aenter__(self) -> Self:
        self._agent = snmp_target(self.target)
        self._client = snmp_client()
        return self

    @property
    def state(self) -> Mapping[str, Any]:
        """Last counters (``rates``), the ports that were up (``up``), what the agent does not have (``absent``)."""
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
        scalars = {**await self._system(), **await self._host()}
        macs = [port.mac_address for port in await self._ports() if port.mac_address]
        return system.identity(scalars, system.chassis(await self._entity()), macs, self._version, datetime.now(UTC))

    async def read_health(self) -> HealthReport:
        """Tell of ports that went down, of failing processors and disks, and of tables that cannot be read."""
        found = await self._ports()
        was_up = self._was_up()
        device_facts = processors.device_facts(await self._host_tables())
        facts = (*ports.facts(found, was_up), *device_facts, *self._unreadable)
        self._state["up"] = ports.remembered_up(found, was_up)
        return HealthReport(facts)

    def _was_up(self) -> set[int]:
        remembered = self.target.state.get("up")
        return (
            {index for index in remembered if isinstance(index, int)} if isinstance(remembered, list | tuple) else set()
        )

    async def read_sensors(self) -> Sequence[Reading]:
        """Read load, memory, disks, processes and, as rates since the last contact, the traffic of the ports."""
        scalars = {**await self._system(), **await self._host()}
        tables = await self._host_tables()
        found = await self._ports()
        disks = storage.storages(tables, tables)
        counters = {f"if.{port.index}": ports.counters(port) for port in found if ports.has_traffic(port)}
        if cpu := processors.cpu_ticks(scalars):
            counters[processors.TICKS] = cpu
        up = system.uptime(scalars)
        now = Snapshot(self._found["ports.at"], up.total_seconds() if up is not None else None, counters)
        interval = Interval.between(Snapshot.from_state(self.target.state.get("rates")), now)
        self._state["rates"] = now.to_state()
        self._remember_absence(_agents_uptime(scalars))
        return (
            *processors.cpu_readings(tables, interval),
            *storage.memory_readings(storage.memory(disks, scalars)),
            *storage.disk_readings(disks),
            *processors.host_readings(scalars, scalars),
            *ports.readings(found, interval),
        )

    async def read_inventory(self) -> Sequence[InventoryItem]:
        """List the operating system, processors, memory, disks and ports."""
        identity = await self.identify()
        scalars = {**await self._system(), **await self._host()}
        tables = await self._host_tables()
        disks = storage.storages(tables, tables)
        clock = date_and_time(scalars.get(oids.HR_SYSTEM_DATE))
        about: dict[str, str | int | float | None] = {
            "Operating system": identity.operating_system,
            "Manufacturer": identity.manufacturer,
            "Model": identity.model,
            "Serial number": identity.serial_number,
            "Agent version": identity.agent_version,
            "Description": identity.description,
            "Clock (UTC)": clock.isoformat(timespec="seconds") if clock else None,
        }
        return (
            InventoryItem(
                InventoryKind.SYSTEM, "system", identity.name or self.target.address, details=_without_none(about)
            ),
            *processors.inventory(tables),
            *storage.inventory(disks, storage.memory(disks, scalars)),
            *ports.inventory(await self._ports()),
        )

    async def read_ports(self) -> PortsReport:
        """Read ifTable and ifXTable."""
        return PortsReport(await self._ports(), system.uptime({**await self._system(), **await self._host()}))

    # --- one fetch, many readers --------------------------------------------------------------------------------------

    async def _once(self, key: str, read: Callable[[], Awaitable[T]]) -> T:
        async with self._locks[key]:
            if key not in self._found:
                self._found[key] = await read()
            return cast(T, self._found[key])

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

    def _remember_absence(self, uptime: float | None) -> None:
        """Keep what this contact found out; what an earlier one did stays as long as it holds."""
        if self._absence is None and not self._unreadable:
            self._state.pop("absent", None)
            if found := Absence.found(self._missed, self._found["ports.at"], uptime):
                self._state["absent"] = found.to_state()

    async def _system(self) -> Scalars:
        """Read the system group, and refuse an agent that is too old before anything else is asked.

        From an agent that is known well enough, everything else that is no table comes in the same answer.
        """

        async def read() -> Scalars:
            known = self._absence
            found = await self._get(known.without(oids.SCALARS) if known else oids.SYSTEM)
            if known and not known.holds(time.time(), _agents_uptime(found)):
                self._absence = None
            self._version = await self._read_agent_version(text(found.get(oids.SYS_DESCR)))
            system.refuse_old_agent(self._version)
            return found

        return await self._once("system", read)

    async def _read_agent_version(self, description: str | None) -> str | None:
        wanted = str(self.target.parameters.get("agent_version_oid") or "").strip()
        if not wanted:
            return system.agent_version(description, None)
        oid = object_identifier(wanted)
        if oid is None:
            raise Unsupported("%(oid)s is not an object identifier", oid=wanted)
        return system.agent_version(description, (await self._client.get(self._agent, [oid])).get(oid))

    async def _host(self) -> Scalars:
        await self._system()
        if self._absence is not None:
            return {}
        return await self._once("host", lambda: self._get((*oids.HOST, *oids.UCD)))

    async def _host_tables(self) -> Cells:
        async def read() -> Table:
            await self._system()
            try:
                # All tables of the host in the same questions: each column goes on by itself until it ends.
                return await self._table(oids.HOST_TABLES, max_repetitions=_HOST_ROWS_AT_ONCE)
            except DeviceError as error:
                self._unreadable.append(
                    Fact(
                        "host-resources.unreadable",
                        Status.UNKNOWN,
                        "The agent's HOST-RESOURCES-MIB cannot be read: %(error)s",
                        {"error": str(error)},
                    )
                )
                return {}

        return await self._once("host tables", read)

    async def _entity(self) -> Sequence[Scalars]:
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


def snmp_target(target: Target) -> SnmpTarget:
    """Turn a target and its credential into what the SNMP client takes; ``Unsupported`` when they do not fit."""
    login = target.credential
    common: dict[str, Any] = {
        "address": target.address,
        "port": target.port or 161,
        "timeout": target.timeout,
        "retries": target.retries,
    }
    try:
        if target.credential_kind == "snmp-community":
            return SnmpTarget(
                **common, version=str(login.get("version") or "2c"), community=str(login.get("community") or "")
            )
        if target.credential_kind == "snmp-v3":
            return SnmpTarget(
                **common,
                version="3",
                username=str(login.get("username") or ""),
                auth_protocol=str(login.get("auth_protocol") or "none"),
                auth_password=str(login.get("auth_password") or ""),
                priv_protocol=str(login.get("priv_protocol") or "none"),
                priv_password=str(login.get("priv_password") or ""),
                context=str(login.get("context") or ""),
            )
    except ValueError as error:
        raise Unsupported(
            "The credential or the address cannot be used: %(reason)s", stage=Stage.SIGN_IN, reason=error
        ) from error
    raise Unsupported("An SNMP credential is needed", stage=Stage.SIGN_IN)


def _agents_uptime(scalars: Scalars) -> float | None:
    up = ticks(scalars.get(oids.SYS_UP_TIME))
    return up.total_seconds() if up is not None else None


def _without_none(details: Mapping[str, str | int | float | None]) -> dict[str, str | int | float | None]:
    return {label: value for label, value in details.items() if value is not None}


DRIVER = SnmpAgentDriver

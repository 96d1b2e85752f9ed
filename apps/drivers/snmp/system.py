"""Who a device says it is: system group, ENTITY-MIB, and the version of a vendor's agent."""

import re
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from apps.drivers.contract import IdentityFacts
from apps.drivers.snmp import oids
from apps.drivers.snmp.facts import facts, model_of, version_numbers
from apps.drivers.snmp.values import Scalars, line, number, object_identifier, text, ticks
from apps.protocols.errors import Unsupported

_NET_SNMP = ("1.3.6.1.4.1.8072.", "1.3.6.1.4.1.2021.")
_EMPTY_UUIDS = {uuid.UUID(int=0), uuid.UUID(int=(1 << 128) - 1)}


def identity(
    system: Scalars, entity: Scalars, macs: Sequence[str], version: str | None, now: datetime
) -> IdentityFacts:
    """Put together what the agent says of its device; ``entity`` is the chassis row of ENTITY-MIB by column."""
    description = text(system.get(oids.SYS_DESCR))
    object_id = object_identifier(system.get(oids.SYS_OBJECT_ID))
    up = uptime(system)
    return IdentityFacts(
        name=line(system.get(oids.SYS_NAME)),
        uuid=hardware_uuid(entity.get(oids.ENT_PHYSICAL_UUID)),
        serial_number=line(entity.get(oids.ENT_PHYSICAL_SERIAL_NUM)),
        manufacturer=manufacturer(object_id, entity),
        model=model(object_id, entity, description),
        description=description,
        location=line(system.get(oids.SYS_LOCATION)),
        contact=line(system.get(oids.SYS_CONTACT)),
        operating_system=operating_system(description),
        agent_version=version,
        mac_addresses=tuple(dict.fromkeys(macs)),
        object_id=object_id,
        up_since=now - up if up is not None else None,
    )


def uptime(scalars: Scalars) -> timedelta | None:
    """Give how long the device is up: the host's own word, else the agent's."""
    host = ticks(scalars.get(oids.HR_SYSTEM_UPTIME))
    return host if host is not None else ticks(scalars.get(oids.SYS_UP_TIME))


def hardware_uuid(value: Any) -> str | None:
    """Give a UUID in its canonical form; all zeros and all ones are none (ENTITY-MIB entPhysicalUUID, RFC 6933)."""
    try:
        found = (
            uuid.UUID(bytes=value) if isinstance(value, bytes) and len(value) == 16 else uuid.UUID(line(value) or "")
        )
    except ValueError:
        return None
    return None if found in _EMPTY_UUIDS else str(found)


def manufacturer(object_id: str | None, entity: Scalars) -> str | None:
    """Give the maker: of a model that we know, else as ENTITY-MIB says, else by the enterprise number of sysObjectID.

    net-snmp runs on anybody's hardware: its number says nothing.
    """
    known = model_of(object_id)
    if known is not None and known.exact:
        return known.manufacturer
    if said := line(entity.get(oids.ENT_PHYSICAL_MFG_NAME)):
        return said
    prefix = "1.3.6.1.4.1."
    if not object_id or not object_id.startswith(prefix) or f"{object_id}.".startswith(_NET_SNMP):
        return None
    return facts().manufacturers.get(object_id.removeprefix(prefix).split(".")[0])


def model(object_id: str | None, entity: Scalars, description: str | None) -> str | None:
    """Give the model: by its own sysObjectID, else as ENTITY-MIB or sysDescr say it, else at least the family."""
    known = model_of(object_id)
    if known is not None and known.exact:
        return known.name
    return (
        line(entity.get(oids.ENT_PHYSICAL_MODEL_NAME))
        or _described_model(description)
        or (known.name if known is not None else line(entity.get(oids.ENT_PHYSICAL_DESCR)))
    )


def _described_model(description: str | None) -> str | None:
    for pattern in facts().models:
        found = pattern.search(description or "")
        if found:
            return found["model"]
    return None


def operating_system(description: str | None) -> str | None:
    """Give the operating system that sysDescr names."""
    for pattern, name in facts().operating_systems:
        found = pattern.search(description or "")
        if found:
            parts = {key: value or "" for key, value in found.groupdict().items()}
            if "{windows}" in name:
                parts["windows"] = facts().windows_builds.get(parts["build"], f"Windows (build {parts['build']})")
            return " ".join(name.format(**parts).split())
    return None


def chassis(rows: Sequence[Scalars]) -> Scalars:
    """Give the row of the whole device: a stack or chassis, else none."""
    for row in rows:
        if number(row.get(oids.ENT_PHYSICAL_CLASS)) == oids.ENTITY_CHASSIS:
            return row
    return {}


def agent_version(description: str | None, value: Any) -> str | None:
    """Give the version of a vendor's agent: its own object's value, else what sysDescr says."""
    told = line(value) if isinstance(value, bytes | str) else None
    if told and re.search(r"\d", told):
        return told
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    for agent in facts().agents:
        found = agent.description.search(description or "")
        if found:
            return found["version"]
    return None


def refuse_old_agent(version: str | None) -> None:
    """Raise ``Unsupported`` when a vendor's agent is older than what is managed; no version refuses nothing."""
    numbers = version_numbers(version) if version else ()
    for agent in facts().agents:
        if numbers and numbers < agent.minimum:
            raise Unsupported(
                "%(agent)s %(version)s is too old: version %(minimum)s or later is needed",
                agent=agent.name,
                version=version,
                minimum=".".join(map(str, agent.minimum)),
            )

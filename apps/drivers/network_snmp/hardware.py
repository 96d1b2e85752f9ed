"""Everything that is known of a network device's hardware: what makers tell first, then what standards tell."""

from collections.abc import Iterator

from apps.drivers.contract import Reading, State
from apps.drivers.network_snmp import cisco, comware, huawei, juniper, sensors, univerge_ix
from apps.drivers.network_snmp.told import Load, Told
from apps.drivers.snmp import entity

MAKERS = (comware, cisco, huawei, juniper, univerge_ix)
MIBS = (
    *(mib for maker in MAKERS for mib in maker.MIBS),
    *sensors.MIBS,
    entity.ENTITY_STATE,
)


def loads(told: Told) -> list[Load]:
    """Give how busy the processing parts are."""
    return [load for maker in MAKERS for load in maker.loads(told)]


def readings(told: Told) -> Iterator[Reading]:
    """Give temperatures and whatever else is measured in the hardware."""
    for maker in MAKERS:
        yield from maker.readings(told)
    yield from sensors.readings(told)


def states(told: Told) -> list[State]:
    """Give how fans, power supplies and other parts are: the first one who tells of a part counts."""
    found: dict[str, State] = {}
    for maker in MAKERS:
        for state in maker.states(told):
            found.setdefault(state.key, state)
    for state in entity.states(told.cells, told.parts):
        found.setdefault(state.key, state)
    return list(found.values())

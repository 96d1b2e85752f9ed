"""Huawei (HUAWEI-UPS-MIB), whose UPS-MIB says nothing of the battery."""

from datetime import datetime

from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import Cells, Scalars, line
from apps.drivers.ups_snmp import amounts
from apps.drivers.ups_snmp.unit import Battery, Unit

_UPS = "1.3.6.1.4.1.2011.6.174.1"
SERIAL_NUMBER = f"{_UPS}.2.100.1.5"
BATTERY_VOLTAGE = f"{_UPS}.6.100.1.1"
CHARGE = f"{_UPS}.6.100.1.3"
SECONDS_REMAINING = f"{_UPS}.6.100.1.4"
BATTERY_TEMPERATURE = f"{_UPS}.6.100.1.6"

MIB = Mib(
    "HUAWEI-UPS-MIB",
    root=_UPS,
    columns=(SERIAL_NUMBER, BATTERY_VOLTAGE, CHARGE, SECONDS_REMAINING, BATTERY_TEMPERATURE),
    rows_at_once=2,
)
_LONGEST = 172_800  # seconds


def unit(scalars: Scalars, cells: Cells, now: datetime) -> Unit:
    """Read the values of the first device."""

    def first(column: str) -> object:
        return next(iter(cells.get(column, {}).values()), None)

    return Unit(
        serial_number=line(first(SERIAL_NUMBER)),
        battery=Battery(
            charge=amounts.percent(first(CHARGE)),
            runtime=amounts.within(first(SECONDS_REMAINING), 0, _LONGEST),
            temperature=amounts.celsius(first(BATTERY_TEMPERATURE), 0.1),
            voltage=amounts.within(first(BATTERY_VOLTAGE), 0, 20_000, 0.1),
        ),
    )

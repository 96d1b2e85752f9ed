"""Vertiv and Liebert (LIEBERT-GP-POWER-MIB), where the card does not answer UPS-MIB: the battery and its test."""

from datetime import datetime

from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import Cells, Scalars, line, number
from apps.drivers.ups_snmp import amounts
from apps.drivers.ups_snmp.unit import Battery, Condition, Outcome, Source, Test, Unit

_LIEBERT = "1.3.6.1.4.1.476.1.42"
MANUFACTURER = f"{_LIEBERT}.2.4.2.1.3"
MODEL = f"{_LIEBERT}.2.4.2.1.4"
_BATTERY = f"{_LIEBERT}.3.5.1"
FAILED_MODULES = f"{_BATTERY}.2.0"
TEST_RESULT = f"{_BATTERY}.8.0"
CHARGE_STATUS = f"{_BATTERY}.14.0"
MINUTES_REMAINING = f"{_BATTERY}.18.0"
CAPACITY = f"{_BATTERY}.19.0"

MIB = Mib(
    "LIEBERT-GP-POWER-MIB",
    root=_LIEBERT,
    scalars=(FAILED_MODULES, TEST_RESULT, CHARGE_STATUS, MINUTES_REMAINING, CAPACITY),
    columns=(MANUFACTURER, MODEL),
    rows_at_once=2,
)
_OUTCOMES = {2: Outcome.PASSED, 3: Outcome.FAILED, 4: Outcome.RUNNING, 5: Outcome.FAILED, 6: Outcome.ABORTED}
_DISCHARGING, _NOT_KNOWN = 4, 65535


def unit(scalars: Scalars, cells: Cells, now: datetime) -> Unit:
    """Read the MIB's values."""
    charging = number(scalars.get(CHARGE_STATUS))
    outcome = _OUTCOMES.get(number(scalars.get(TEST_RESULT)) or 0)
    minutes = amounts.within(scalars.get(MINUTES_REMAINING), 0, _NOT_KNOWN - 1)
    conditions: tuple[Condition, ...] | None = None
    if charging is not None:
        conditions = (Condition.FAULTY,) if (number(scalars.get(FAILED_MODULES)) or 0) > 0 else (Condition.NORMAL,)
    manufacturer, model = (line(next(iter(cells.get(column, {}).values()), None)) for column in (MANUFACTURER, MODEL))
    return Unit(
        manufacturer=manufacturer,
        model=model,
        source=(Source.BATTERY if charging == _DISCHARGING else Source.ONLINE) if charging is not None else None,
        battery=Battery(
            conditions=conditions,
            charge=amounts.percent(scalars.get(CAPACITY)),
            runtime=minutes * 60 if minutes is not None else None,
        ),
        test=Test(outcome) if outcome is not None else None,
    )

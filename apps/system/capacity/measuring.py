"""Measures what is stored, keeps it for pages that must not wait, and warns before the disk is full."""

import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Avg
from django.utils import timezone

from apps.alerts.services.raising import raise_alert
from apps.core import options
from apps.core.writes import turn
from apps.monitoring.models import Sample, Sensor
from apps.system.capacity import forecast, tables
from apps.system.capacity.estimate import FIXED_ROLL_UP, FIXED_SAMPLE, TYPICAL, Kept, Weights
from apps.system.capacity.forecast import Stream
from apps.system.capacity.kinds import ALERT, BY_NAME, COMPONENT, DAILY, HOURLY, KINDS, SAMPLE, by_table, per_day
from apps.system.models import CapacityMeasurement

WARNING_DAYS = "disk_warning_days"
FILLING, LOW, ENOUGH = "portal.disk-filling", "portal.disk-low", "portal.disk-enough"
FEWEST_FREE = 1_500_000_000  # bytes, as preflight asks for
HYSTERESIS = 1.2  # times the days from which on the warning ends
KEPT_WHOLE = timedelta(days=2)  # then one a day
KEPT_DAILY = timedelta(days=730)
ENOUGH_ROWS = 50  # that must be there before their mean is believed: an empty table takes a few pages too
LOOKED_AT = 2000  # polls, for how many values they have
FULL, SUFFICIENT, UNKNOWN = "full", "sufficient", "unknown"


def latest() -> CapacityMeasurement | None:
    """Give the last measurement."""
    return CapacityMeasurement.objects.order_by("-at").first()


def measure(now: datetime | None = None) -> CapacityMeasurement:
    """Measure, keep it, forget old measurements, and raise or end the alert about the disk."""
    now = now or timezone.now()
    before = latest()
    facts = find(now)
    warned = is_short(facts, warned=before is not None and before.warned)
    with turn():
        made: CapacityMeasurement = CapacityMeasurement.objects.create(
            at=now, size=facts["database"]["total"], facts=facts, warned=warned
        )
        _forget(now)
    if warned != (before is not None and before.warned):
        _tell(facts, warned)
    return made


def find(now: datetime) -> dict[str, Any]:
    """Measure and forecast; the result is JSON."""
    sizes = tables.sizes()
    kinds = _kinds(sizes, now)
    streams = [
        Stream(kind["rows"], kind["per_day"], kind["each"], kind["kept_for"], kind["kept_at_most"])
        for kind in kinds
        if kind["per_day"] is not None and kind["each"] is not None
    ]
    disk = database_disk()
    facts = {
        "counted": sizes.counted,
        "database": {"vendor": connection.vendor, "total": sizes.total, "free": sizes.free, "log": sizes.log},
        "disk": disk,
        "data_disk": _disk(settings.DATA_DIR),
        "kinds": kinds,
        "other": sizes.total - (sizes.free or 0) - sum(kind["bytes"] for kind in kinds),
        "sensors": {
            "rows": tables.rows(Sensor._meta.db_table),
            "bytes": sizes.tables.get(Sensor._meta.db_table, 0),
        },
        "values": _values(),
        "growth": forecast.growth(streams) if streams else None,
        "outlook": UNKNOWN,
        "days": None,
    }
    if disk is not None and streams:
        days = forecast.days_until(disk["free"] + (sizes.free or 0), streams)
        facts |= {"outlook": SUFFICIENT if days is None else FULL, "days": days}
    return facts


def _kinds(sizes: tables.Sizes, now: datetime) -> list[dict[str, Any]]:
    owned = dict.fromkeys(BY_NAME, 0)
    for table, kind in by_table().items():
        owned[kind.name] += sizes.tables.get(table, 0)
    rows = {kind.name: kind.rows() for kind in KINDS}
    # Hours and days stand in one table, in rows of one size; the first kind that owns it holds its bytes.
    both = rows[HOURLY] + rows[DAILY]
    if both:
        owned[DAILY] = round(owned[HOURLY] * rows[DAILY] / both)
        owned[HOURLY] -= owned[DAILY]
    each = {name: owned[name] / rows[name] if rows[name] >= ENOUGH_ROWS else None for name in rows}
    each[DAILY] = each[DAILY] or each[HOURLY]
    return [
        {
            "name": kind.name,
            "rows": rows[kind.name],
            "bytes": owned[kind.name],
            "each": each[kind.name],
            "per_day": per_day(kind, now),
            "kept_for": kind.kept_for,
            "kept_at_most": kind.kept_at_most,
        }
        for kind in KINDS
    ]


def _values() -> float | None:
    """Give how many values the last polls had."""
    last = Sample.objects.order_by("-pk").values("pk")[:LOOKED_AT]
    found: float | None = Sample.objects.filter(pk__in=last).aggregate(mean=Avg("layout__size"))["mean"]
    return found


def database_disk() -> dict[str, Any] | None:
    """Give the disk that the database grows on; None where it is another machine's, or nobody tells where it is."""
    if connection.vendor == "sqlite":
        return _disk(Path(str(connection.settings_dict["NAME"])).parent)
    host = str(connection.settings_dict.get("HOST") or "")
    if not _is_here(host):
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT setting FROM pg_settings WHERE name = 'data_directory'")
            row = cursor.fetchone()
    except DatabaseError:
        return None
    return _disk(Path(row[0])) if row and row[0] else None


def _is_here(host: str) -> bool:
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _disk(folder: Path) -> dict[str, Any] | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return {"folder": str(folder), "total": usage.total, "free": usage.free}


# --- the warning ---------------------------------------------------------------------------------------------------


def is_short(facts: Mapping[str, Any], *, warned: bool) -> bool:
    """Say whether the disk is to be warned of; once it was, it takes somewhat more room to end that."""
    limit = options.get(WARNING_DAYS)
    if not limit:
        return False
    disk, days = facts["disk"] or facts["data_disk"], facts["days"]
    factor = HYSTERESIS if warned else 1.0
    few = days is not None and days < limit * factor
    return few or (disk is not None and disk["free"] < FEWEST_FREE * factor)


def _tell(facts: Mapping[str, Any], warned: bool) -> None:
    disk = facts["disk"] or facts["data_disk"] or {"folder": "", "free": 0}
    params = {"free": gigabytes(disk["free"]), "folder": disk["folder"]}
    if not warned:
        raise_alert(ENOUGH, component=None, params=params)
    elif facts["days"] is None:
        raise_alert(LOW, component=None, params=params)
    else:
        params |= {"days": str(int(facts["days"])), "growth": gigabytes(facts["growth"] or 0)}
        raise_alert(FILLING, component=None, params=params)


def gigabytes(size: float) -> str:
    """Write a size for an alert, which is read in any language."""
    return f"{size / 10**9:.2f} GB"


def _forget(now: datetime) -> None:
    """Keep the last days whole, before them the first of each day, nothing beyond two years."""
    CapacityMeasurement.objects.filter(at__lt=now - KEPT_DAILY).delete()
    older = CapacityMeasurement.objects.filter(at__lt=now - KEPT_WHOLE, at__gte=now - KEPT_WHOLE - timedelta(days=7))
    seen, surplus = set(), []
    for pk, at in older.order_by("at").values_list("pk", "at"):
        surplus += [pk] if at.date() in seen else []
        seen.add(at.date())
    if surplus:
        CapacityMeasurement.objects.filter(pk__in=surplus[:500]).delete()


# --- what the calculator reckons with ------------------------------------------------------------------------------


def weights(facts: Mapping[str, Any] | None) -> Weights:
    """Give what things take here; what there is too little of weighs what it does elsewhere."""
    if facts is None:
        return TYPICAL
    kinds = {kind["name"]: kind for kind in facts["kinds"]}
    sensors, values = facts["sensors"], facts["values"]
    found: dict[str, float] = {"base": max(facts["other"], 0)}
    if kinds[COMPONENT]["rows"] >= ENOUGH_ROWS:
        found["component"] = (kinds[COMPONENT]["bytes"] - sensors["bytes"]) / kinds[COMPONENT]["rows"]
    if sensors["rows"] >= ENOUGH_ROWS:
        found["sensor"] = sensors["bytes"] / sensors["rows"]
    if kinds[SAMPLE]["rows"] >= ENOUGH_ROWS and values:
        found["sample_value"] = max(kinds[SAMPLE]["each"] - FIXED_SAMPLE, 0) / values
    if kinds[HOURLY]["rows"] >= ENOUGH_ROWS and values:
        found["roll_up_value"] = max(kinds[HOURLY]["each"] - FIXED_ROLL_UP, 0) / values
    if kinds[ALERT]["rows"] >= ENOUGH_ROWS:
        found["alert"] = kinds[ALERT]["each"]
    typical = {name: getattr(TYPICAL, name) for name in Weights.__slots__ if name != "measured"}
    return Weights(**typical | found, measured=frozenset(found))


def kept() -> Kept:
    """Give for how many days things are kept here."""
    days = {name: BY_NAME[name].kept_for for name in (SAMPLE, HOURLY, DAILY, ALERT)}
    return Kept(days[SAMPLE] or 0, days[HOURLY] or 0, days[DAILY] or 0, days[ALERT], BY_NAME[ALERT].kept_at_most)

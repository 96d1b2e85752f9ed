"""Sets a user's own limits of a sensor, and judges its last value by them at once."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.components.services import causes
from apps.core import audit, events
from apps.core.actors import Actor
from apps.core.writes import turn
from apps.drivers.contract import Limits, Reading
from apps.monitoring import layouts, packing
from apps.monitoring.judging import STATUSES, snapshot
from apps.monitoring.models import LastValues, Limit, Sensor
from apps.monitoring.services import writing
from apps.monitoring.services.polling import own_limits

FIELDS = ("lower_critical", "lower_warning", "upper_warning", "upper_critical")


def set_limits(sensor: Sensor, wanted: Mapping[str, float | None] | None, actor: Actor) -> Limits:
    """Set the thresholds that are named, keep the others as they are in force; None goes back to the device's.

    Raises ValidationError. Gives what is in force then.
    """
    with turn():
        before = in_force(sensor)
        if wanted is None:
            Limit.objects.filter(interface=sensor.interface_id, key=sensor.key).delete()
        else:
            after = checked({**_fields(before), **wanted})
            Limit.objects.update_or_create(interface_id=sensor.interface_id, key=sensor.key, defaults=_fields(after))
        now_in_force = in_force(sensor)
        audit.record(
            actor,
            "sensor.limits",
            sensor.interface.component,
            name=f"{sensor.interface.component}: {sensor.name}",
            before=_fields(before),
            after=_fields(now_in_force),
        )
        _judge_again(sensor)
        events.publish("component")
    return now_in_force


def in_force(sensor: Sensor) -> Limits:
    """Give the user's limits, else the device's."""
    own = own_limits([sensor.interface_id])[sensor.interface_id]
    if sensor.key in own:
        return own[sensor.key]
    layout_id = LastValues.objects.filter(interface=sensor.interface_id).values_list("layout_id", flat=True).first()
    points = layouts.sensors_of(layout_id) if layout_id is not None else ()
    return next((point.limits for point in points if point.key == sensor.key), Limits())


def checked(values: Mapping[str, Any]) -> Limits:
    """Give limits whose order makes sense; raises ValidationError naming the field."""
    limits: dict[str, float | None] = {}
    for name in FIELDS:
        value = values.get(name)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
        ):
            raise ValidationError({name: [_("Enter a number, or nothing for no limit.")]})
        limits[name] = None if value is None else float(value)
    given = [(name, limits[name]) for name in FIELDS if limits[name] is not None]
    for (name_below, lower), (name, upper) in pairwise(given):
        same_side = name_below.partition("_")[0] == name.partition("_")[0]
        if lower is not None and upper is not None and (lower > upper or (lower == upper and not same_side)):
            raise ValidationError({name: [_("Limits must rise from lower critical to upper critical.")]})
    return Limits(**limits)


def _fields(limits: Limits) -> dict[str, float | None]:
    return {name: getattr(limits, name) for name in FIELDS}


def _judge_again(sensor: Sensor) -> None:
    """Let the new limits count now, not at the next poll."""
    last = LastValues.objects.select_for_update().filter(interface=sensor.interface_id).first()
    if last is None or sensor.interface.last_error_code:
        return  # nobody knows how it is now: the next answer is judged
    points = layouts.sensors_of(last.layout_id)
    values = [None if value != value else value for value in packing.unpack(last.values).tolist()]
    own = own_limits([sensor.interface_id])[sensor.interface_id]
    judged = snapshot(
        (
            # What the device itself said of a sensor without limits stays its word.
            Reading(point, value, None if point.key == sensor.key else STATUSES[letter])
            for point, value, letter in zip(points, values, last.statuses, strict=True)
        ),
        own,
    )
    if judged.statuses != last.statuses:
        LastValues.objects.filter(pk=last.pk).update(statuses=judged.statuses)
        place = [point.key for point in points].index(sensor.key)
        Sensor.objects.filter(pk=sensor.pk).update(status=STATUSES[judged.statuses[place]].value, since=timezone.now())
    component_id = sensor.interface.component_id
    causes.settle(writing.LIMIT, [sensor.interface_id], writing.limit_causes(component_id, sensor.interface_id, judged))

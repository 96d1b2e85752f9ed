"""Tells alerts what the numbered sensors of a management controller are called."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator

from apps.alerts.services.naming import Part
from apps.monitoring.models import LastStates, Sensor


def names_of_sensors(parts: Iterable[Part]) -> dict[Part, str]:
    """Give the names of sensors by component and key, of which the first three words are the sensor's."""
    wanted: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for component_id, key in parts:
        wanted[component_id][".".join(key.split(".")[:3])].add(key)
    names: dict[Part, str] = {}
    for component_id, sensor, name in _known(list(wanted)):
        for key in wanted[component_id].get(sensor, ()):
            names.setdefault((component_id, key), name)
    return names


def _known(component_ids: list[int]) -> Iterator[tuple[int, str, str]]:
    """Give the sensors that measure, and those that only say how something is."""
    sensors = Sensor.objects.filter(interface__component__in=component_ids).order_by()
    yield from sensors.values_list("interface__component", "key", "name")
    last = LastStates.objects.filter(interface__component__in=component_ids).order_by("interface")
    for component_id, states in last.values_list("interface__component", "states"):
        for key, name, *_rest in json.loads(states):
            yield component_id, key, name

"""What the numbered parts of a component are called, and which do not count; upper apps that know register here."""

from collections.abc import Callable, Collection, Iterable, Mapping

from apps.alerts.models import AlertDefinition
from apps.alerts.services.arrivals import Value
from apps.core.registries import Registry

Part = tuple[int, str]
"""A component's id and the number or key of one of its parts."""

Namer = Callable[[Iterable[Part]], Mapping[Part, str]]
object_names: Registry[Namer] = Registry("namer of objects")
"""By kind of object (``port``): gives the names of those parts that are known, in one query."""

Exemption = Callable[[Iterable[Part]], Collection[Part]]
exempt_objects: Registry[Exemption] = Registry("exemption of objects")
"""By kind of object (``port``): gives those of these parts whose problems do not count in the status."""

NAME_BINDINGS = ("name", "description")
CALLED = "called"  # the binding with a name for want of a better one


def names_of(kind: str, parts: Iterable[Part]) -> Mapping[Part, str]:
    """Give the names of parts of one kind; none where nobody registered for it."""
    wanted = set(parts)
    return object_names.get(kind)(wanted) if wanted and kind in object_names else {}


def exempt_of(kind: str, parts: Iterable[Part]) -> Collection[Part]:
    """Give the parts of one kind whose problems do not count; none where nobody registered for it."""
    wanted = set(parts)
    return exempt_objects.get(kind)(wanted) if wanted and kind in exempt_objects else ()


def shown_object(definition: AlertDefinition, key: str, named: Mapping[str, Value], known: str | None) -> Value:
    """Give how an object is shown: by the name that was sent, else the known one, else what it is called."""
    if not definition.object:
        return key
    itself = named.get(CALLED) or named.get(definition.object)
    name = next((named[binding] for binding in NAME_BINDINGS if named.get(binding)), known or itself or key)
    alias = named.get("alias", "")
    return f"{name} ({alias})" if alias and alias != name else name

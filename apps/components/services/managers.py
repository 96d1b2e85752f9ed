"""Says of components which manager has which function: this portal, or another one."""

from collections.abc import Mapping, Sequence

from apps.components.models import Component
from apps.components.services import registration
from apps.core.actors import Actor
from apps.core.writes import turn
from apps.groups.services import one_at_a_time


def assign(components: Sequence[Component], wishes: Mapping[str, str | None], actor: Actor) -> int:
    """Give functions of components to another manager, whom the text notes, or to this portal (None).

    What is not named stays as it is on each. All or nothing; gives how many changed. Raises ValidationError.
    """
    changed = 0
    with turn():
        one_at_a_time()
        for component in Component.objects.filter(pk__in=[one.pk for one in components]).order_by("pk"):
            after = {**component.managed_elsewhere, **{name: note for name, note in wishes.items() if note is not None}}
            after = {name: note for name, note in after.items() if wishes.get(name, note) is not None}
            if after != component.managed_elsewhere:
                registration.change(component, {"managed_elsewhere": after}, actor)
                changed += 1
    return changed

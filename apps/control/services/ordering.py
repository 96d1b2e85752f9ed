"""Takes an order for components: who may, which of them can, and what is kept of what it touches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from apps.components.models import Component
from apps.components.services import checks
from apps.control import operations
from apps.control.operations import Operation
from apps.control.services import targets
from apps.control.services.consequences import Consequence, consequences
from apps.core import jobs, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.models import Job
from apps.core.phrases import Phrase
from apps.drivers.contract import PowerAction

MANY = 10  # machines of which more are not forced without their number
OF_BATCH = gettext_noop("Remote batch %(batch)s: %(order)s")
CANNOT = Phrase(gettext_noop("None of its ways of managing can do this."))
ALL_ELSEWHERE = Phrase(
    gettext_noop("Other managers manage the controllers that could do this, so the portal changes nothing on them.")
)


class ManagedElsewhere(Conflict):
    """Only the manager of the controllers orders this, and that is another one; ``phrase`` says it."""

    def __init__(self, phrase: Phrase) -> None:
        super().__init__(str(phrase))
        self.phrase = phrase


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would reach, were it given now, and what it would touch."""

    ways: Mapping[int, int | None]  # of each target the interface by which it is ordered, None: it is woken past all
    targets: Sequence[Component]
    skipped: Sequence[Component]  # they cannot do this
    refused: Mapping[int, Phrase]  # of those that are skipped because another manager has them, why
    touched: Sequence[Consequence]
    wants_number: bool


def forces_many(name: str, arguments: Mapping[str, Any], number: int) -> bool:
    """Say whether an order switches more than a few machines whatever runs on them: then their number is confirmed."""
    return name == operations.POWER and number > MANY and PowerAction(arguments["action"]) not in operations.GENTLE


def preview(name: str, arguments: Mapping[str, Any], components: Sequence[Component], actor: Actor) -> Preview:
    """Say what an order would do; nothing begins. Raises ValidationError and PermissionDenied as ``prepare`` does."""
    operation = operations.OPERATIONS[name]
    cleaned = operation.clean(arguments)
    _refuse_forbidden(operation, cleaned, components, actor)
    ids = [component.pk for component in components]
    ways, refused = targets.ways(ids, operation, cleaned), targets.refused(ids, operation, cleaned)
    return Preview(
        ways,
        [component for component in components if component.pk in ways],
        [component for component in components if component.pk not in ways],
        refused,
        consequences(
            [one for one in components if one.pk not in refused],
            actor.user,
            cleaned if name == operations.POWER else None,
        ),
        forces_many(name, cleaned, len(components)),
    )


def operate(
    name: str, arguments: Mapping[str, Any], components: Sequence[Component], actor: Actor, expect: int | None = None
) -> Job:
    """Order one operation of components and give the job that carries it out; refuses as ``prepare`` does."""
    return prepare(name, arguments, components, actor, expect)()


def prepare(
    name: str,
    arguments: Mapping[str, Any],
    components: Sequence[Component],
    actor: Actor,
    expect: int | None = None,
    batch: str = "",
) -> Callable[[], Job]:
    """Look whether an operation may be ordered of components, and give what orders it, once, in a write turn.

    The components are those that the actor sees. Raises ValidationError for arguments that make no sense,
    PermissionDenied when one of them is in a group where he may not order this, Conflict when their number is not the
    expected one or none of them can do it; in all these cases nothing begins. The job names the remote batch that it
    belongs to.
    """
    operation = operations.OPERATIONS[name]
    cleaned = operation.clean(arguments)
    _refuse_forbidden(operation, cleaned, components, actor)
    targets.expect(components, expect)
    title = operation.title(cleaned)
    if batch:
        title = Phrase(OF_BATCH, {"batch": batch, "order": title})
    if name == operations.COLLECT:
        return lambda: checks.refresh(components, actor, title if batch else None)
    ids = [component.pk for component in components]
    ways, refused = targets.ways(ids, operation, cleaned), targets.refused(ids, operation, cleaned)
    if refused and not ways:
        reasons = set(map(str, refused.values()))
        raise ManagedElsewhere(next(iter(refused.values())) if len(reasons) == 1 else ALL_ELSEWHERE)
    if not ways:
        raise Conflict(_("None of these components can do this."))
    reached = [component for component in components if component.pk not in refused]
    touched = consequences(reached, actor.user, cleaned if name == operations.POWER else None)
    steps = [
        jobs.NewStep(str(component), component.pk, ways.get(component.pk), component.group_id)
        for component in components
    ]
    kept = {**cleaned, "consequences": [one.title.dumps() for one in touched]}
    told = _told(operation, cleaned, touched) | ({"remote_batch": batch} if batch else {})
    return lambda: jobs.create(name, title, steps, actor, arguments=kept, told=told)


def _refuse_forbidden(
    operation: Operation, arguments: Mapping[str, Any], components: Sequence[Component], actor: Actor
) -> None:
    word = operation.permission(arguments)
    if not all(scoping.may(actor.user, word, component.group_id) for component in components):
        raise PermissionDenied(_("You may not order this of all these components; nothing was begun."))


def _told(operation: Operation, arguments: Mapping[str, Any], touched: Sequence[Consequence]) -> dict[str, Any]:
    """Give what the audit keeps, in English whoever acted."""
    with override("en"):
        return {"order": str(operation.title(arguments)), "consequences": [str(one.title) for one in touched]}

"""Which manager does what of a component: this portal, or another one, function by function.

What two managers would undo for each other is done by one alone; the other only reads. A component keeps what is
managed elsewhere by the names of functions, with a note of who does it; what comes later needs no new column.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from apps.components.models import Component
from apps.core import audit_words
from apps.core.phrases import Phrase
from apps.core.registries import Registry
from apps.drivers import registry
from apps.drivers.contract import Capability

CONTROLLER = "controller"
LONGEST_NOTE = 200


@dataclass(frozen=True, slots=True)
class Function:
    """Something that one manager alone may do of a component; all texts are English words to be translated."""

    name: str  # what programs call it, and components keep
    label: str
    left_alone: str  # what this portal does and does not where another manager has it
    refused: str  # why it does not do something
    refused_by: str  # the same with the name of the other manager: %(manager)s
    audited: str  # what the audit calls the note of the other manager
    told: str  # that it is so
    told_by: str
    capabilities: frozenset[Capability]  # a way of managing that has one of these has this function


functions: Registry[Function] = Registry("function that one manager alone has")


def add(function: Function) -> None:
    """Have components say which manager has this; upper apps do it from their ``AppConfig.ready()``."""
    functions.add(function.name, function)
    audit_words.fields.add(f"managed_elsewhere.{function.name}", gettext_lazy(function.audited))


add(
    Function(
        CONTROLLER,
        gettext_noop("Management controller"),
        gettext_noop(
            "The portal goes on reading: values, parts, event log. It subscribes to no events and removes its own "
            "subscription, sets no alert destination, and changes no settings, power cap or lasting boot device; it "
            "does not empty the event log. Power, lamp and console can still be ordered."
        ),
        gettext_noop("Another manager manages this controller, so the portal changes nothing on it."),
        gettext_noop("Another manager manages this controller, so the portal changes nothing on it: %(manager)s."),
        gettext_noop("Other manager of the management controller"),
        gettext_noop("managed by another manager"),
        gettext_noop("managed by another manager: %(manager)s"),
        frozenset({Capability.SETTINGS, Capability.SUBSCRIPTIONS, Capability.POWER_CAP}),
    )
)


def clean(given: Mapping[str, str] | None) -> dict[str, str]:
    """Give the functions that are managed elsewhere with their notes; raises ValidationError on the field."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ValidationError({"managed_elsewhere": [_("Enter functions with a text each.")]})
    wrong = [
        _("There is no function %(name)s; there are: %(names)s.")
        % {"name": str(name)[:40], "names": ", ".join(known for known, _function in functions.items())}
        for name in given
        if name not in functions
    ]
    notes = {name: note.strip() if isinstance(note, str) else None for name, note in given.items()}
    if any(note is None or len(note) > LONGEST_NOTE or not note.isprintable() for note in notes.values()):
        sentence = _("Who manages it is a text of at most %(count)s characters in one line.")
        wrong.append(sentence % {"count": LONGEST_NOTE})
    if wrong:
        raise ValidationError({"managed_elsewhere": wrong})
    return {name: note for name, note in notes.items() if note is not None}


def refusal(component: Component, name: str) -> Phrase | None:
    """Say why this portal changes nothing there; None where it manages that function itself."""
    return _phrase(component, name, functions.get(name).refused, functions.get(name).refused_by)


def told(component: Component, name: str) -> Phrase | None:
    """Say in a few words that another manager has a function, and which; None where this portal has it."""
    return _phrase(component, name, functions.get(name).told, functions.get(name).told_by)


def _phrase(component: Component, name: str, plainly: str, by: str) -> Phrase | None:
    if name not in component.managed_elsewhere:
        return None
    manager = component.managed_elsewhere[name]
    return Phrase(by, {"manager": manager}) if manager else Phrase(plainly)


def refusals(components: Iterable[int], name: str) -> dict[int, Phrase]:
    """Give why nothing is changed, of those of these components (by id) where another manager has a function."""
    rows = Component.objects.filter(pk__in=list(components), managed_elsewhere__has_key=name)
    return {row.pk: why for row in rows.only("managed_elsewhere") if (why := refusal(row, name)) is not None}


def of_driver(driver: str) -> list[Function]:
    """Give the functions that a way of managing has."""
    spec = registry.specs().get(driver)
    return [one for one in functions if spec is not None and one.capabilities & spec.capabilities]

"""What a trap means: its definition, the product that sent it, how bad it is, and what it is about."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from apps.alerts.models import DEFAULT_ALERT_TYPE, AlertDefinition, Severity
from apps.alerts.services import platform_events, products
from apps.alerts.services.arrivals import Binding, Value, named_bindings, object_of
from apps.alerts.services.catalogue import Catalogue
from apps.components.models import Component
from apps.core.phrases import Phrase

REMEMBERED = 10_000
KNOWN_ENTERPRISE = "portal.known-enterprise"
"""Explains a trap that no definition knows, of an enterprise that is known."""


class Meaning(NamedTuple):
    """What is made of one trap; without a definition it is unmatched."""

    definition: AlertDefinition | None
    severity: str = Severity.UNKNOWN.value
    alert_type: str = DEFAULT_ALERT_TYPE
    product: str = ""
    object: str = ""
    params: Mapping[str, Value] = {}  # nobody changes it


def interpret(
    catalogue: Catalogue, trap_oid: str, enterprise: str, bindings: Sequence[Binding], component: Component | None
) -> Meaning:
    """Find out what a trap means. ``component`` is the one that has the sender's address, where that is known."""
    found = _recognised(catalogue, trap_oid, enterprise, component.model if component else "")
    return meaning_of(*found, trap_oid, bindings)


def _recognised(
    catalogue: Catalogue, trap_oid: str, enterprise: str, model: str
) -> tuple[AlertDefinition | None, products.Product | None]:
    """Give the definition and the product of a trap; a catalogue remembers those of the latest ones."""
    name = (trap_oid, enterprise, model)
    if (found := catalogue.recognised.get(name)) is not None:
        return found
    known = products.known()
    product = known.of_trap(trap_oid, enterprise, model)
    definition = catalogue.find(trap_oid, enterprise)
    if definition is None and known.is_listed(trap_oid, enterprise, product):
        definition = catalogue.by_key.get(KNOWN_ENTERPRISE)
    if definition is not None and not definition.enabled:
        definition = None
    if len(catalogue.recognised) >= REMEMBERED:  # senders can make up names
        catalogue.recognised.clear()
    catalogue.recognised[name] = definition, product
    return definition, product


def meaning_of(
    definition: AlertDefinition | None, product: products.Product | None, trap_oid: str, bindings: Sequence[Binding]
) -> Meaning:
    """Say what a definition makes of the variables of a trap, and of what can be worked out of them."""
    name = product.name if product is not None else ""
    filed_under = product.alert_type if product is not None and product.alert_type else DEFAULT_ALERT_TYPE
    if definition is None:
        return Meaning(None, product=name, alert_type=filed_under)
    told = platform_events.told_by(trap_oid, bindings)
    if told is not None:
        bindings = [*bindings, *told.bindings]
    named = named_bindings(definition, bindings)
    params = in_words(definition, named)
    if told is not None:
        params |= {name: told.event for name, value in params.items() if value == told.event.text}
    return Meaning(
        definition,
        severity_of(definition, named),
        filed_under if definition.alert_type == DEFAULT_ALERT_TYPE else definition.alert_type,
        name,
        object_of(definition, bindings, named),
        params,
    )


def severity_of(definition: AlertDefinition, named: Mapping[str, str]) -> str:
    """Give how bad an alert is: by the value of the binding that says so, else as the definition has it."""
    rules = definition.severity_by
    value = named.get(rules["binding"]) if rules else None
    if value is None:
        return definition.severity
    if (said := rules.get("values", {}).get(value)) is not None:
        return str(said)
    return _by_limit(rules.get("from", {}), value) or definition.severity


def _by_limit(limits: Mapping[str, str], value: str) -> str | None:
    """Give the severity of the highest limit that a value reaches."""
    try:
        number = float(value)
    except ValueError:
        return None
    reached = [limit for limit in limits if float(limit) <= number]
    return limits[max(reached, key=float)] if reached else None


def in_words(definition: AlertDefinition, named: Mapping[str, str]) -> dict[str, Value]:
    """Put words in the place of numbers that a definition has words for."""
    if not definition.words:
        return dict(named)
    said: dict[str, Value] = {}
    for name, value in named.items():
        word = definition.words.get(name, {}).get(value)
        said[name] = Phrase(word) if word else value
    return said

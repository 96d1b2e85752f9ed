"""What people change about definitions; everything else about them comes from their files."""

from apps.alerts.models import AlertDefinition
from apps.alerts.services import catalogue
from apps.core import audit
from apps.core.actors import Actor
from apps.core.writes import turn


def set_enabled(definition: AlertDefinition, enabled: bool, actor: Actor) -> AlertDefinition:
    """Show or hide the alerts of a definition from now on; hidden ones are kept as unmatched."""
    with turn():
        definition = AlertDefinition.objects.select_for_update().get(pk=definition.pk)
        before = {"enabled": definition.enabled}
        definition.enabled = enabled
        definition.save(update_fields=["enabled"])
        audit.record(actor, "alert-definition.change", definition, before=before, after={"enabled": enabled})
    catalogue.forget()
    return definition

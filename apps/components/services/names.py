"""What components were called before: rows that keep the name of their day are found by it."""

from django.db.models import Q

from apps.components.models import Component
from apps.core.models import AuditEntry


def ever_called(name: str) -> set[int]:
    """Give the ids of the components that have a name, had it, or took over one that had it."""
    changed = Q(action="component.change", before__name=name)
    joined = Q(action="component.join", after__joined__name=name)
    former = AuditEntry.objects.filter(changed | joined).values_list("object_id", flat=True)
    return {int(pk) for pk in former} | set(Component.objects.filter(name=name).values_list("pk", flat=True))

"""Which stored alerts of the last week a definition concerns: those that it explained, and those that it would."""

from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from apps.alerts.models import Alert, AlertDefinition
from apps.alerts.models.alert import AlertQuerySet
from apps.alerts.services.catalogue import Catalogue
from apps.alerts.services.interpretation import KNOWN_ENTERPRISE
from apps.alerts.services.oids import other_form

WEEK = timedelta(days=7)


def concerned(draft: AlertDefinition, known: Catalogue, alerts: AlertQuerySet, since: datetime) -> AlertQuerySet:
    """Give the traps since a moment that a draft explained before, or would explain.

    They are found by the definitions that explain such traps now, of which an index knows, never by reading them all.
    """
    named = Q(pk__in=())
    for oid in draft.oids:
        named |= Q(trap_oid__in=[oid, other_form(oid)])
        if draft.prefix:
            named |= Q(trap_oid__startswith=f"{oid}.")
    others = {found.pk for oid in draft.oids if (found := known.find(oid, draft.enterprise)) is not None}
    others |= {entry.pk for entry in known.definitions if set(entry.oids) & set(draft.oids)}
    if KNOWN_ENTERPRISE in known.by_key:
        others.add(known.by_key[KNOWN_ENTERPRISE].pk)
    own = Q(definition=draft.pk) if draft.pk else Q(pk__in=())
    reach = own | (named & (Q(definition__in=others) | Q(definition=None)))
    if draft.prefix:  # whatever explains traps below it may lose some of them
        reach = own | named
    return alerts.filter(reach, received_at__gte=since).exclude(trap_oid="")


def counts(alerts: AlertQuerySet, since: datetime | None = None) -> dict[int | None, int]:
    """Give how many alerts of the last week each definition explained; under None those that none explained."""
    found: QuerySet[Alert] = alerts.filter(received_at__gte=since or timezone.now() - WEEK).order_by()
    return dict(found.values_list("definition").annotate(Count("pk")))

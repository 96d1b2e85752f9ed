"""Alerts that the portal itself raises."""

from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone

from apps.alerts.models import Alert
from apps.alerts.services import catalogue
from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.ingestion import ingest
from apps.components.models import Component


def raise_alert(
    definition: str,
    *,
    component: Component | None,
    object: str = "",
    params: Mapping[str, str] | None = None,
    occurred_at: datetime | None = None,
    source: str = "portal",
) -> Alert:
    """Raise an alert of the definition with this key; opens, folds or ends its incident. KeyError: no such key.

    ``params`` fill the places of the definition's texts; ``component`` and ``object`` fill themselves. Inside a
    transaction it becomes part of it.
    """
    found = catalogue.current().by_key.get(definition)
    if found is None:
        catalogue.forget()
        found = catalogue.current().by_key[definition]
    now = timezone.now()
    (alert,) = ingest(
        [
            Arrival(
                source=source,
                received_at=now,
                definition=found,
                component=component,
                object=object,
                params=dict(params or {}),
                occurred_at=occurred_at or now,
            )
        ]
    )
    return alert

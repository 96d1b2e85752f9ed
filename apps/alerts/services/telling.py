"""Tells late what nobody was told of in time: problems that began in a silence, and outlast it.

Such a problem is told by an alert of the portal of the same kind: it is listed when people hear of it, belongs to the
same incident, and goes the way of every alert to those who listen. What arrived in the silence stays marked as quiet.
"""

from collections.abc import Sequence

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.alerts.models import Alert, Incident
from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.ingestion import store
from apps.core.phrases import Phrase
from apps.core.writes import turn

AT_ONCE = 100
SOURCE = "portal"
STILL = gettext_noop("It began while nobody was to be told of %(component)s, and it still stands.")
BOTH = gettext_noop("%(detail)s %(remark)s")


def tell_held() -> int:
    """Tell the held problems whose component is not quiet any more, the oldest first; gives how many, at most 100."""
    with turn():
        held = Incident.objects.held().exclude(component__suspended=True).select_related("component", "definition")
        chosen = list(held.select_for_update(of=("self",)).order_by("pk")[:AT_ONCE])
        if not chosen:
            return 0
        hidden = [incident.pk for incident in chosen if not incident.definition.enabled]
        if hidden:
            Incident.objects.filter(pk__in=hidden).update(held=False)
        last = _last_alerts(chosen)
        arrivals = [_again(one, last.get(one.pk)) for one in chosen if one.pk not in hidden]
        alerts = store(arrivals).alerts
        for alert in alerts:
            remark = Phrase(STILL, {"component": alert.where})
            alert.detail = Phrase(BOTH, {"detail": alert.detail, "remark": remark}) if alert.detail else remark
        Alert.objects.bulk_update(alerts, ["detail"], batch_size=AT_ONCE)
    return len(chosen)


def _last_alerts(incidents: Sequence[Incident]) -> dict[int, Alert]:
    latest = Alert.objects.filter(incident__in=incidents).order_by().values("incident").annotate(pk=Max("id"))
    found = Alert.objects.filter(pk__in=[row["pk"] for row in latest])
    return {alert.incident_id or 0: alert for alert in found}


def _again(incident: Incident, last: Alert | None) -> Arrival:
    """Say the problem once more, in the words of its last alert; of one that is gone, as far as its title tells."""
    sentences = [last.title, last.detail, last.remedy] if last is not None else [incident.title]
    known = {name: str(value) for sentence in sentences for name, value in sentence.params.items()}
    known.pop("component", None)
    return Arrival(
        source=SOURCE,
        received_at=timezone.now(),
        occurred_at=(last.occurred_at or last.received_at) if last is not None else incident.last_at,
        definition=incident.definition,
        component=incident.component,
        address=incident.address,
        object=incident.object,
        params=known,
        product=last.product if last is not None else "",
    )

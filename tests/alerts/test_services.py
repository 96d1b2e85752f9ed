"""Alerts open, fold and end incidents; the status of the component follows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.alerts.models import Alert, AlertDefinition, Incident
from apps.alerts.services import (
    Arrival,
    acknowledge,
    age,
    catalogue,
    close,
    ingest,
    listeners,
    raise_alert,
    reinterpret,
    reopen_overdue,
)
from apps.components.models import Component, Status, StatusCause
from apps.components.services import joining, registration
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.models import AuditEntry
from tests.factories import make_component, make_interface, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]


@pytest.fixture
def component() -> Component:
    return make_interface(make_component("web-01", status="normal")).component


def arrival(key: str, component: Component | None, object: str = "3", **more: object) -> Arrival:
    definition = AlertDefinition.objects.get(key=key)
    return Arrival("snmp-trap", timezone.now(), definition, component, object=object, **more)


def status_of(component: Component) -> str:
    return Component.objects.get(pk=component.pk).status


def test_a_problem_opens_one_incident_counts_its_repetitions_and_its_partner_ends_it(component):
    ingest([arrival("linkDown", component), arrival("linkDown", component), arrival("linkDown", component, "4")])
    ingest([arrival("linkDown", component)])

    third, fourth = Incident.objects.order_by("object")
    assert (third.object, third.count, third.state, third.severity) == ("3", 3, "open", "warning")
    assert (fourth.object, fourth.count) == ("4", 1)
    assert Alert.objects.filter(incident=third).count() == 3
    assert status_of(component) == Status.WARNING
    assert sorted(StatusCause.objects.filter(component=component).values_list("source", "status")) == [
        ("alert", "warning"),
        ("alert", "warning"),
    ]

    (recovery,) = ingest([arrival("linkUp", component)])
    third.refresh_from_db()
    assert (third.state, str(third.closed_why)) == ("closed", "Link of 3 came up")
    assert recovery.incident == third
    assert recovery.severity == "normal"
    assert status_of(component) == Status.WARNING  # port 4 is still down

    ingest([arrival("linkUp", component, "4")])
    assert status_of(component) == Status.NORMAL
    assert not Incident.objects.open().exists()


def test_down_up_down_in_one_batch_ends_with_the_second_incident_open(component):
    alerts = ingest([arrival(key, component) for key in ("linkDown", "linkUp", "linkDown")])

    first, second = Incident.objects.order_by("pk")
    assert (first.state, first.count, second.state, second.count) == ("closed", 1, "open", 1)
    assert [alert.incident for alert in alerts] == [first, first, second]
    assert StatusCause.objects.get(component=component).key == f"incident {second.pk}"


def test_information_opens_nothing_and_changes_no_status(component):
    (alert,) = ingest([arrival("coldStart", component, "")])
    assert (alert.severity, alert.incident, str(alert.title)) == ("information", None, "The device was started")
    assert status_of(component) == Status.NORMAL


def test_an_alert_without_definition_is_kept_as_unmatched():
    (alert,) = ingest([Arrival("snmp-trap", timezone.now(), None, trap_oid="1.3.6.1.4.1.9.9", address="192.0.2.9")])
    assert (alert.matched, alert.severity, str(alert.title)) == (False, "unknown", "Unknown trap 1.3.6.1.4.1.9.9")
    assert list(Alert.objects.unmatched()) == [alert]


def test_what_the_portal_raises_from_a_poll_never_counts_itself_in_the_status(component):
    lost = raise_alert("portal.access-lost", component=component)
    assert (str(lost.title), lost.source, lost.component_name) == ("web-01 does not answer", "portal", "web-01")
    assert lost.incident.state == "open"
    assert status_of(component) == Status.NORMAL
    assert not StatusCause.objects.filter(component=component).exists()

    back = raise_alert("portal.access-recovered", component=component)
    assert back.incident_id == lost.incident_id
    assert Incident.objects.get(pk=lost.incident_id).state == "closed"


def test_an_unknown_key_is_refused_and_nothing_is_stored(component):
    with pytest.raises(KeyError):
        raise_alert("portal.no-such-thing", component=component)
    assert not Alert.objects.exists()


def test_a_definition_that_is_switched_off_hides_its_alerts(component):
    AlertDefinition.objects.filter(key="linkDown").update(enabled=False)
    catalogue.forget()
    assert catalogue.current().match("1.3.6.1.6.3.1.1.5.3") is None
    (alert,) = ingest([arrival("linkDown", component)])
    assert not alert.matched
    assert not Incident.objects.exists()


def test_an_acknowledged_incident_stays_in_the_status_but_is_quiet(component):
    ingest([arrival("linkDown", component)])
    person = Actor(ActorKind.USER, "Mori (+token)", make_user("operator", username="Mori"))
    (incident,) = acknowledge(Incident.objects.all(), person, "cable ordered", timezone.now() + timedelta(hours=1))
    assert (incident.state, incident.note, incident.acknowledged_by_name) == ("acknowledged", "cable ordered", "Mori")
    assert AuditEntry.objects.get(action="incident.acknowledge").after["note"] == "cable ordered"
    assert status_of(component) == Status.WARNING

    (again,) = ingest([arrival("linkDown", component)])
    assert again.quiet == "acknowledged"
    assert Incident.objects.get().count == 2

    assert reopen_overdue(timezone.now() + timedelta(minutes=59)) == 0
    assert reopen_overdue(timezone.now() + timedelta(minutes=61)) == 1
    assert Incident.objects.get().state == "open"


def test_closing_by_hand_ends_the_cause_and_the_next_alert_opens_another_incident(component):
    ingest([arrival("linkDown", component)])
    (closed,) = close(Incident.objects.all(), SYSTEM)
    assert close([closed], SYSTEM) == []
    assert status_of(component) == Status.NORMAL
    ingest([arrival("linkDown", component)])
    assert list(Incident.objects.order_by("pk").values_list("state", flat=True)) == ["closed", "open"]


def test_only_problems_that_nothing_can_end_age(component):
    ingest([arrival("linkDown", component), arrival("authenticationFailure", component, "")])
    later = timezone.now() + timedelta(hours=25)
    assert age(timedelta(hours=24), timezone.now() + timedelta(hours=23)) == 0
    assert age(timedelta(hours=24), later) == 1
    aged = Incident.objects.get(definition__key="authenticationFailure")
    assert (aged.state, str(aged.closed_why)) == ("closed", "Nothing more was heard of it for 24 hours.")
    assert Incident.objects.get(definition__key="linkDown").state == "open"


def test_assigning_an_unknown_sender_moves_its_incident_and_is_audited(component):
    (alert,) = ingest([arrival("linkDown", None, address="192.0.2.7")])
    old = alert.incident
    assert (old.place, old.component) == ("address 192.0.2.7", None)

    changed = reinterpret(alert, SYSTEM, component=component, definition=alert.definition)
    old.refresh_from_db()
    assert (old.state, old.count) == ("closed", 0)
    assert changed.incident.component == component
    assert changed.component_name == "web-01"
    assert status_of(component) == Status.WARNING
    entry = AuditEntry.objects.get(action="alert.reinterpret")
    assert (entry.before, entry.after) == ({"component": None}, {"component": component.pk})


def test_a_suspended_component_is_quiet():
    (alert,) = ingest([arrival("linkDown", make_component("db-01", suspended=True))])
    assert alert.quiet == "suspended"


def test_listeners_hear_of_the_batch_after_the_commit(component, django_capture_on_commit_callbacks, monkeypatch):
    heard = []
    monkeypatch.setattr(listeners, "_entries", {})
    listeners.add("broken", lambda alerts: 1 / 0)
    listeners.add("ours", heard.extend)
    with django_capture_on_commit_callbacks(execute=True):
        alerts = ingest([arrival("linkDown", component)])
        assert heard == []
    assert heard == alerts


def test_the_longest_prefix_wins_unless_the_exact_trap_is_known():
    for key, oid, prefix in (
        ("nec", "1.3.6.1.4.1.119", True),
        ("nec-server", "1.3.6.1.4.1.119.2.2.4", True),
        ("nec-fan", "1.3.6.1.4.1.119.2.2.4.4.0.5", False),
    ):
        AlertDefinition.objects.create(key=key, name=key, trap_oid=oid, prefix=prefix, severity="warning", title=key)
    catalogue.forget()
    match = catalogue.current().match
    assert match("1.3.6.1.4.1.119.2.2.4.4.0.5").key == "nec-fan"
    assert match("1.3.6.1.4.1.119.2.2.4.4.0.6").key == "nec-server"
    assert match("1.3.6.1.4.1.119.1").key == "nec"
    assert match("1.3.6.1.4.1.1190.1") is None


def test_a_removed_component_leaves_its_alerts_with_its_name(component):
    ingest([arrival("linkDown", component)])
    component.delete()
    alert = Alert.objects.get()
    assert (alert.component, alert.component_name) == (None, "web-01")


def test_removing_a_component_closes_its_problems_and_keeps_its_alerts(component):
    (alert,) = ingest([arrival("linkDown", component)])
    registration.remove([component], SYSTEM)
    alert.refresh_from_db()
    assert (alert.component, alert.component_name) == (None, "web-01")
    incident = Incident.objects.get()
    assert (incident.state, incident.component, str(incident.closed_why)) == (
        "closed",
        None,
        "The component was removed.",
    )


def test_joining_two_components_joins_their_problems(component):
    other = make_component("web-01-bmc")
    ingest([arrival("linkDown", component), arrival("linkDown", other), arrival("linkDown", other, "4")])
    joining.join(component, other, SYSTEM)
    assert set(Alert.objects.values_list("component", flat=True)) == {component.pk}
    found = Incident.objects.open().filter(component=component)
    assert sorted(found.values_list("object", "place")) == [
        ("3", f"component {component.pk}"),
        ("4", f"component {component.pk}"),
    ]
    assert str(Incident.objects.get(state="closed").closed_why).startswith("The component was joined")
    ingest([arrival("linkUp", component), arrival("linkUp", component, "4")])
    assert not StatusCause.objects.filter(component=component, source="alert").exists()

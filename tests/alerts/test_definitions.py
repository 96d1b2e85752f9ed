"""What people do with definitions, which of several decides, and what their alerts become."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.alerts.models import Alert, AlertDefinition, Incident
from apps.alerts.services import catalogue, definitions, ingest
from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.checking import complete
from apps.alerts.services.interpretation import interpret
from apps.alerts.services.loading import load
from apps.components.models import Component
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.errors import Conflict
from apps.core.models import AuditEntry
from tests.factories import make_component, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]

FAN = {"name": "Fan", "trap_oid": "1.3.6.1.4.1.99999.0.7", "severity": "critical", "title": "Fan %(fan)s failed"}
FAN |= {"bindings": {"fan": "1.3.6.1.4.1.99999.2.1"}, "object": "fan"}  # type: ignore[operator]
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"


def mori() -> Actor:
    return Actor(ActorKind.USER, "Mori", make_user("administrator", username="Mori"))


def binding(oid: str, value: object, kind: str = "Integer") -> dict[str, Any]:
    return {"oid": oid, "type": kind, "value": str(value)}


def arrive(trap_oid: str, *bindings: dict[str, Any], enterprise: str = "", component: Component | None = None) -> Alert:
    """Store a trap as the receiver does."""
    meaning = interpret(catalogue.current(), trap_oid, enterprise, bindings, component)
    (alert,) = ingest(
        [
            Arrival(
                "snmp-trap",
                timezone.now(),
                meaning.definition,
                component,
                "192.0.2.1",
                meaning.object,
                meaning.params,
                trap_oid=trap_oid,
                enterprise=enterprise,
                product=meaning.product,
                bindings=bindings,
                severity=meaning.severity,
                alert_type=meaning.alert_type,
            )
        ]
    )
    return Alert.objects.get(pk=alert.pk)


def test_a_definition_of_ones_own_is_followed_at_once_and_audited():
    assert not arrive("1.3.6.1.4.1.99999.0.7").matched
    made = definitions.create(FAN, mori())
    assert (made.key, made.is_own, made.changes) == ("own.fan", True, [])
    alert = arrive("1.3.6.1.4.1.99999.0.7", binding("1.3.6.1.4.1.99999.2.1.3", "FAN3"))
    assert (str(alert.title), alert.severity, alert.object, alert.matched) == (
        "Fan FAN3 failed",
        "critical",
        "FAN3",
        True,
    )
    entry = AuditEntry.objects.get(action="alert-definition.create")
    assert (entry.actor_name, entry.after["trap_oid"]) == ("Mori", "1.3.6.1.4.1.99999.0.7")
    assert definitions.create({**FAN, "trap_oid": "1.3.6.1.4.1.99999.0.8"}, mori_again()).key == "own.fan-2"


def mori_again() -> Actor:
    return Actor(ActorKind.USER, "Mori")


def test_both_names_of_a_trap_are_the_same():
    definitions.create({**FAN, "trap_oid": "1.3.6.1.4.1.99999.7"}, SYSTEM)
    for trap_oid in ("1.3.6.1.4.1.99999.0.7", "1.3.6.1.4.1.99999.7"):
        assert arrive(trap_oid).definition.key == "own.fan"
    assert not arrive("1.3.6.1.4.1.99999.0.8").matched


def test_a_change_of_a_shipped_definition_survives_the_next_start_and_can_be_taken_back(settings):
    folder: Path = settings.FIXTURES_DIR / "alert_definitions"
    link_down = AlertDefinition.objects.get(key="linkDown")
    definitions.change(link_down, {"severity": "critical", "title": "%(object)s is dead"}, mori())
    assert load(folder) == {"new": 0, "changed": 0, "switched off": 0}
    link_down.refresh_from_db()
    assert (link_down.severity, link_down.changes) == ("critical", ["severity", "title"])
    assert str(arrive(LINK_DOWN, binding("1.3.6.1.2.1.2.2.1.1.4", 4)).title) == "4 is dead"

    definitions.restore(link_down, mori_again())
    link_down.refresh_from_db()
    assert (link_down.severity, link_down.changes) == ("warning", [])
    with pytest.raises(Conflict):
        definitions.restore(definitions.create(FAN, SYSTEM), SYSTEM)


def test_what_a_file_changes_arrives_beside_what_people_changed(tmp_path: Path):
    file = tmp_path / "fans.yaml"
    written = "definitions: {x.fan: {name: Fan, trap_oid: 1.3.6.1.4.1.9.1, severity: warning, title: Fan failed}}"
    file.write_text(written)
    load(tmp_path)
    definitions.change(AlertDefinition.objects.get(key="x.fan"), {"severity": "critical"}, SYSTEM)
    file.write_text(written.replace("Fan failed", "A fan failed"))
    assert load(tmp_path)["changed"] == 1
    fan = AlertDefinition.objects.get(key="x.fan")
    assert (fan.title, fan.severity, fan.changes) == ("A fan failed", "critical", ["severity"])


def test_a_users_definition_wins_over_a_shipped_one_and_both_are_shown():
    mine = definitions.create({**FAN, "trap_oid": LINK_DOWN, "object": "", "title": "Mine"}, SYSTEM)
    assert arrive(LINK_DOWN).definition == mine
    (double,) = definitions.doubles()
    assert (double.trap_oid, double.decides, [other.key for other in double.others]) == (LINK_DOWN, mine, ["linkDown"])
    assert double.is_mixed

    definitions.set_enabled(mine, False, SYSTEM)
    assert arrive(LINK_DOWN).definition.key == "linkDown"  # no restart
    assert definitions.doubles() == []


@pytest.mark.parametrize("enterprise", ["1.3.6.1.4.1.232", "1.3.6.1.4.1.232.9.4.11"])
def test_for_ilo_the_product_wins_over_a_users_definition(enterprise: str):
    trap_oid = f"{enterprise}.0.6050"
    mine = definitions.create({**FAN, "trap_oid": trap_oid, "bindings": {}, "object": "", "title": "Mine"}, SYSTEM)
    alert = arrive(trap_oid, enterprise=enterprise)
    assert alert.definition.key == "hpe.power-supply-failed"
    (double,) = definitions.doubles()
    assert (double.decides.key, double.others) == ("hpe.power-supply-failed", (mine,))
    unknown = definitions.create({**FAN, "trap_oid": f"{enterprise}.0.999", "title": "Mine", "object": ""}, SYSTEM)
    assert arrive(f"{enterprise}.0.999", enterprise=enterprise).definition == unknown  # the product says nothing of it


def test_merging_gives_the_shipped_one_what_the_users_says():
    mine = definitions.create({**FAN, "trap_oid": LINK_DOWN, "bindings": {"fan": "#1"}}, SYSTEM)
    link_down = AlertDefinition.objects.get(key="linkDown")
    kept = definitions.merge(link_down, mine, mori())
    assert (kept.title, kept.severity, kept.trap_oid) == ("Fan %(fan)s failed", "critical", LINK_DOWN)
    assert not AlertDefinition.objects.get(pk=mine.pk).enabled
    assert definitions.doubles() == []
    assert arrive(LINK_DOWN, binding("1.3.6.1.2.1.2.2.1.1.4", 4)).definition == kept
    with pytest.raises(Conflict):
        definitions.merge(mine, link_down, SYSTEM)


def test_a_definition_for_one_enterprise_leaves_the_others_alone():
    definitions.create({**FAN, "trap_oid": LINK_DOWN, "enterprise": "1.3.6.1.4.1.9", "title": "Cisco"}, SYSTEM)
    assert str(arrive(LINK_DOWN, enterprise="1.3.6.1.4.1.9.1.5").title) == "Cisco"
    assert arrive(LINK_DOWN, enterprise="1.3.6.1.4.1.99.1").definition.key == "linkDown"
    assert arrive(LINK_DOWN).definition.key == "linkDown"
    assert definitions.doubles() == []


def test_exact_goes_before_the_longest_prefix():
    for oid, title in (("1.3.6.1.4.1.99999", "All"), ("1.3.6.1.4.1.99999.5", "Five")):
        definitions.create({**FAN, "trap_oid": oid, "prefix": True, "title": title, "object": ""}, SYSTEM)
    definitions.create({**FAN, "trap_oid": "1.3.6.1.4.1.99999.5.0.1", "title": "One", "object": ""}, SYSTEM)
    wanted = {"1.3.6.1.4.1.99999.5.0.1": "One", "1.3.6.1.4.1.99999.5.0.2": "Five", "1.3.6.1.4.1.99999.6.0.1": "All"}
    assert {oid: str(arrive(oid).title) for oid in wanted} == wanted


def test_the_severity_follows_a_value_and_recovery_ends_the_problem():
    rules = {"binding": "state", "values": {"2": "normal"}, "from": {"36": "warning", "41": "critical"}}
    sensor = {**FAN, "severity": "information", "severity_by": rules, "title": "%(state)s", "object": ""}
    definitions.create({**sensor, "bindings": {"state": "#1"}}, SYSTEM)
    seen = [arrive("1.3.6.1.4.1.99999.0.7", binding("1.3.6.1.4.1.99999.3", value)) for value in (35.9, 36, 41.5, "off")]
    assert [alert.severity for alert in seen] == ["information", "warning", "critical", "information"]
    incident = Incident.objects.get()
    assert (incident.severity, incident.count, incident.state) == ("critical", 2, "open")
    arrive("1.3.6.1.4.1.99999.0.7", binding("1.3.6.1.4.1.99999.3", 2))
    assert Incident.objects.get().state == "closed"


@pytest.mark.parametrize(
    ("problem", "recovery", "object_key"),
    [
        (("1.3.6.1.4.1.318.0.5",), ("1.3.6.1.4.1.318.0.9",), ""),
        (("1.3.6.1.4.1.25506.8.35.12.1.6", 2), ("1.3.6.1.4.1.119.2.3.126.2.23.1.12.1.0.7", 2), "2"),
        (("1.3.6.1.4.1.232.0.6036", "srv", 0, 1, 4), ("1.3.6.1.4.1.232.0.6038", "srv", 0, 1, 4), "1.4"),
        (("1.3.6.1.4.1.25506.2.13.3.1", "192.0.2.9"), ("1.3.6.1.4.1.25506.2.13.3.0.1", "192.0.2.9"), "192.0.2.9"),
    ],
)
def test_partners_end_each_others_problems(problem, recovery, object_key):
    component = make_component("sw-01")
    for trap_oid, *values in (problem, recovery):
        sent = [binding(f"1.3.6.1.4.1.1.{place}", value) for place, value in enumerate(values)]
        arrive(trap_oid, *sent, component=component)
    incident = Incident.objects.get()
    assert (incident.state, incident.object, incident.count) == ("closed", object_key, 1)


def test_the_end_of_a_ups_alarm_ends_it_and_the_battery_run():
    alarm, on_battery = "1.3.6.1.2.1.33.1.6.2.1.2.1", "1.3.6.1.2.1.33.1.6.3.2"
    low = "1.3.6.1.2.1.33.1.6.3.3"
    ups = make_component("ups-01")
    arrive("1.3.6.1.2.1.33.2.1", binding("1.3.6.1.2.1.33.1.2.3.0", 17), component=ups)
    arrive("1.3.6.1.2.1.33.2.0.3", binding(alarm, on_battery), component=ups)
    critical = arrive("1.3.6.1.2.1.33.2.3", binding(alarm, low), component=ups)
    assert (str(critical.title), critical.severity) == ("The UPS reports: battery low", "critical")
    assert Incident.objects.open().count() == 3
    arrive("1.3.6.1.2.1.33.2.4", binding(alarm, on_battery), component=ups)
    assert [incident.object for incident in Incident.objects.open()] == [low]


def test_a_removed_definition_leaves_its_alerts_but_not_its_problems():
    mine = definitions.create({**FAN, "severity": "information"}, SYSTEM)
    alert = arrive("1.3.6.1.4.1.99999.0.7")
    other = definitions.create(
        {**FAN, "trap_oid": "1.3.6.1.4.1.99999.0.8", "severity": "normal", "clears": [mine.key]}, SYSTEM
    )
    definitions.remove(mine, SYSTEM)
    alert.refresh_from_db()
    other.refresh_from_db()
    assert (alert.definition, other.clears) == (None, [])

    problem = definitions.create(FAN, SYSTEM)
    arrive("1.3.6.1.4.1.99999.0.7")
    with pytest.raises(Conflict, match="1 problem speaks"):
        definitions.remove(problem, SYSTEM)
    with pytest.raises(Conflict):
        definitions.remove(AlertDefinition.objects.get(key="linkDown"), SYSTEM)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("trap_oid", "", "This is needed."),
        ("trap_oid", "enterprises.9", "enterprises.9 is not an object identifier."),
        ("title", "", "This is needed."),
        ("title", "Fan %(van)s", "Nothing fills the place van: no binding has this name."),
        ("title", "%(fan)s at 80 %", "In a text with places, write a percent sign twice."),
        ("severity", "bad", "There is no severity bad."),
        ("bindings", {"fan": "second"}, "second is neither an object identifier nor a place such as #2."),
        ("bindings", {"component": "#1"}, "component cannot be the name of a binding."),
        ("object", "slot", "There is no binding slot."),
        ("words", {"slot": {"1": "one"}}, "There is no binding slot."),
        ("severity_by", {"binding": "slot", "values": {"1": "normal"}}, "There is no binding slot."),
        ("severity_by", {"binding": "fan"}, "Name at least one value."),
        ("severity_by", {"binding": "fan", "from": {"much": "critical"}}, "much is not a number."),
        ("clears", ["own.nothing"], "There is no definition own.nothing."),
        ("name", "x" * 201, "At most 200 characters."),
    ],
)
def test_bad_fields_are_named_and_nothing_is_made(field: str, value: object, said: str):
    with pytest.raises(ValidationError) as refused:
        definitions.create({**FAN, field: value}, SYSTEM)
    assert said in refused.value.message_dict[field]
    assert not AlertDefinition.objects.own().exists()


def test_a_process_that_was_not_told_follows_a_change_after_its_next_look(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(catalogue.time, "monotonic", lambda: clock[0])
    catalogue.forget()
    assert catalogue.current().match("1.3.6.1.4.1.99999.0.7") is None
    AlertDefinition.objects.create(key="own.elsewhere", **complete(FAN))  # as another process would
    assert catalogue.current().match("1.3.6.1.4.1.99999.0.7") is None
    clock[0] += 2.0
    assert catalogue.current().match("1.3.6.1.4.1.99999.0.7").key == "own.elsewhere"

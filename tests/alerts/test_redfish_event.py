"""What is made of posted events, what the shipped definitions say of them, and whose alerts are whose."""

import json
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from apps.alerts.models import AlertDefinition
from apps.alerts.receivers import redfish_event
from apps.alerts.receivers.redfish_event import Malformed, NotWanted, Posted, moment, name_of, understand
from apps.alerts.receivers.senders import Senders
from apps.alerts.services import catalogue
from apps.alerts.services.checking import check, complete
from apps.alerts.services.interpretation import Meaning, interpret
from apps.components.driver_parameters import clean
from apps.drivers import registry
from tests.alerts.events import event, message
from tests.factories import make_component, make_interface, ship_definitions

PART = "/redfish/v1/Chassis/1/Power#/PowerSupplies/0"


def read(*records: object, **fields: object) -> Posted:
    return understand(json.dumps(message(*records, **fields)).encode())  # type: ignore[arg-type]


def variables(**fields: object) -> dict[str, str]:
    (found,) = read(event(**fields)).events
    return {one["oid"]: one["value"] for one in found.bindings}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("ResourceEvent.1.0.ResourceErrorsDetected", "redfish.ResourceEvent.ResourceErrorsDetected"),
        ("Base.1.18.1.Success", "redfish.Base.Success"),
        ("iLOEvents.2.3.FanFailed", "redfish.iLOEvents.FanFailed"),
        ("IDRAC.2.8.PSU0003", "redfish.IDRAC.PSU0003"),
        ("FQXSPPW0001I", "redfish.FQXSPPW0001I"),
        ("what is this?", "redfish.what-is-this"),
        ("../..", "redfish"),
        ("", "redfish"),
    ],
)
def test_the_name_of_an_event_has_no_version(key: str, name: str) -> None:
    assert name_of(key) == name


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T19:00:00+09:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("1970-01-01T00:00:09Z", None),  # its clock was never set
        ("2026-11-20T10:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
    ],
)
def test_the_time_of_the_device(text: str, at: datetime | None) -> None:
    assert moment(text) == at


def test_a_part_that_is_well_again_says_so() -> None:
    assert variables(Severity="OK", OriginOfCondition={"@odata.id": PART})["State"] == "Recovered"
    assert variables(Severity="OK", OriginOfCondition=PART)["State"] == "Recovered"  # as old services write it
    assert variables(Severity="OK", OriginOfCondition=PART, EventType="ResourceUpdated")["State"] == "OK"
    for whole in ("/redfish/v1/Systems/1", "/redfish/v1/Managers/1/LogServices/IEL/Entries/7", ""):
        assert variables(Severity="OK", OriginOfCondition={"@odata.id": whole})["State"] == "OK"
    assert variables(Severity="OK", MessageSeverity="Critical")["State"] == "Critical"  # the newer word counts


def test_two_problems_of_one_machine_stay_two() -> None:
    where = {"@odata.id": "/redfish/v1/Systems/1"}
    assert variables(OriginOfCondition=where)["Subject"] == "iLOEvents.FanFailed 2"
    assert variables(OriginOfCondition=where, MessageArgs=["3"])["Subject"] == "iLOEvents.FanFailed 3"
    assert variables(OriginOfCondition={"@odata.id": PART})["Subject"] == PART


def test_an_event_without_a_sentence_is_called_by_its_message() -> None:
    assert variables(Message=None)["Message"] == "iLOEvents.FanFailed: 2"
    assert variables(Message="", MessageArgs=None, MessageId=None)["Message"] == "Event"


def test_what_every_database_holds() -> None:
    found = variables(Message="a\x00b\ud800" + "x" * 9000, MessageArgs=[1, 2.5, True, None, [], "\x00"] * 10)
    assert found["Message"].startswith("a\N{REPLACEMENT CHARACTER}b?x")
    assert len(found["Message"]) <= redfish_event.KEPT_CHARACTERS
    assert [found[f"MessageArgs.{place}"] for place in (1, 2, 3)] == ["1", "2.5", "true"]
    assert "MessageArgs.31" not in found
    (long,) = read(event(Oem={"x": "y" * 20_000})).events
    assert long.stored == b""


def test_repeated_and_new() -> None:
    first, same, other = (read(event(number)).events[0].identity for number in (1, 1, 2))
    assert first == same != other
    assert read(event(1, EventTimestamp="2027-01-01T00:00:00Z")).events[0].identity != first  # numbers begin anew
    nameless = event(1)
    del nameless["EventId"]
    assert read(nameless).events[0].identity == read(nameless).events[0].identity != first


def test_so_many_and_no_more() -> None:
    posted = read(*(event(number) for number in range(300)))
    assert (len(posted.events), posted.left_out) == (redfish_event.MOST_EVENTS, 50)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"Events": {}}', b'{"Events": [1]}', b"[" * 99999])
def test_what_is_no_message_of_events(body: bytes) -> None:
    with pytest.raises(Malformed):
        understand(body)


def test_measured_values_are_not_wanted() -> None:
    with pytest.raises(NotWanted):
        understand(b'{"@odata.type": "#MetricReport.v1_0_0.MetricReport", "MetricValues": []}')


def test_contexts_of_message_and_records() -> None:
    assert read(event(Context="b"), Context="a").contexts == {"a", "b"}
    assert read(event(), Context=None).contexts == frozenset()


@pytest.mark.django_db
class TestDefinitions:
    """What the shipped definitions make of them."""

    def meaning(self, **fields: object) -> Meaning:
        (found,) = read(event(**fields)).events
        return interpret(catalogue.current(), found.name, "", found.bindings, None)

    def test_everything_is_explained(self) -> None:
        ship_definitions()
        catalogue.forget()
        fan = self.meaning(MessageId="Environmental.1.0.FanFailed", MessageArgs=["Fan 3"])
        assert (fan.definition.key, fan.severity, fan.object) == ("redfish.fan-failed", "critical", "Fan 3")
        assert fan.params["fan"] == "Fan 3"
        volume = self.meaning(MessageId="StorageDevice.1.3.0.VolumeDegraded", MessageArgs=["Vol1", "Slot 2"])
        assert (volume.severity, volume.object) == ("warning", "Vol1.Slot 2")
        for severity, meant in (
            ("Critical", "critical"),
            ("Warning", "warning"),
            ("OK", "normal"),
            ("?", "information"),
        ):
            other = self.meaning(MessageId="Maker.1.0.Unheard", Severity=severity)
            assert (other.definition.key, other.severity) == ("redfish.event", meant)
        assert self.meaning(MessageId="").definition.key == "redfish.event"

    def test_partners_end_what_they_are_partners_of(self) -> None:
        ship_definitions()
        catalogue.forget()
        known = catalogue.current()
        for row in AlertDefinition.objects.filter(key__startswith="redfish.", severity="normal"):
            for ended in known.ended_by(row):
                assert ended.object == row.object, row.key

    def test_people_may_define_events(self) -> None:
        fields = {"name": "x", "severity": "critical", "title": "%(what)s", "bindings": {"what": "MessageArgs.1"}}
        check(complete({**fields, "trap_oid": "redfish.Maker.Failed"}))
        for wrong in ("redfish.", "redfish.a.b.c", "bluefish.a", "redfish.a b"):
            with pytest.raises(Exception, match="object identifier"):
                check(complete({**fields, "trap_oid": wrong, "bindings": {}, "title": "x"}))


@pytest.mark.django_db
def test_alerts_from_the_second_address_of_a_controller_belong_to_it() -> None:
    twice = make_interface(driver="bmc", address="192.0.2.1", parameters={"second_address": "192.0.2.2"})
    make_interface(driver="bmc", address="192.0.2.3", parameters={"second_address": "bmc.example.com"})
    other = make_component("with a further address", alert_addresses=["192.0.2.4"])
    found = Senders().find(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"])
    assert found["192.0.2.1"] == found["192.0.2.2"] == [twice.component]
    assert len(found["192.0.2.3"]) == 1
    assert found["192.0.2.4"] == [other]
    assert "192.0.2.5" not in found


@pytest.mark.django_db
def test_only_an_agent_may_stand_behind_a_translation_of_addresses() -> None:
    agent = make_interface(address="198.51.100.7", parameters={"nat_address": "10.0.0.7"})
    assert Senders().find(["10.0.0.7"])["10.0.0.7"] == [agent.component]
    for driver in ("bmc", "redfish", "ilo", "network_snmp", "ups_snmp"):
        with pytest.raises(ValidationError):
            clean(registry.specs()[driver], {"nat_address": "10.0.0.7"})
    assert clean(registry.specs()["snmp_agent"], {"nat_address": "10.0.0.7"}) == {"nat_address": "10.0.0.7"}

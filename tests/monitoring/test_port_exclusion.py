"""Network ports that do not count in the status of their component (the guide's NICStatusNotShow.txt)."""

from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from apps.alerts.models import AlertDefinition, Incident, Severity
from apps.alerts.services.folding import settle_causes
from apps.components.models import Component, ManagementInterface, StatusCause
from apps.core.actors import Actor, ActorKind
from apps.core.models import AuditEntry
from apps.core.phrases import Phrase
from apps.drivers.contract import Limits, Quantity, Reading, Sensor
from apps.monitoring import exclusions, judging
from apps.monitoring.models import ExcludedPort
from apps.monitoring.services import nic_file, polling, port_exclusion
from tests.factories import make_component, make_group, make_user
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db
SOMEBODY = Actor(ActorKind.SYSTEM, "test")


@pytest.fixture
def device() -> ManagementInterface:
    """A device whose second port lost its link."""
    interface = fake_device(script="unplugged", ports=3)
    polling.poll([interface.pk])
    return interface


def status_of(device: ManagementInterface) -> str:
    return Component.objects.get(pk=device.component_id).status


def port(device: ManagementInterface, name: str = "eth1"):
    return next(port for port in port_exclusion.ports_of(device.component) if port.name == name)


def api(role: str | None = "administrator", **about) -> APIClient:
    made = APIClient()
    made.force_authenticate(make_user(role, **about))
    return made


def url(device: ManagementInterface, index: int = 2) -> str:
    return f"/api/v1/components/{device.component_id}/ports/{device.pk}/{index}/"


class TestStatus:
    """What an excluded port says is not counted, at once and at every poll."""

    def test_a_port_that_is_excluded_does_not_count_from_now_on(self, device):
        assert status_of(device) == "warning"
        port_exclusion.exclude(device.component, port(device), SOMEBODY)
        assert status_of(device) == "normal"
        polling.poll([device.pk])
        assert status_of(device) == "normal"
        assert [port.name for port in port_exclusion.ports_of(device.component)] == ["eth0", "eth1", "eth2"]

    def test_a_port_that_is_included_again_counts_at_the_next_poll_which_comes_at_once(self, device):
        port_exclusion.exclude(device.component, port(device), SOMEBODY)
        ManagementInterface.objects.filter(pk=device.pk).update(next_poll_at="2100-01-01T00:00:00Z")
        port_exclusion.include(device.component, port(device), SOMEBODY)
        assert ManagementInterface.objects.get(pk=device.pk).next_poll_at.year < 2100
        polling.poll([device.pk])
        assert status_of(device) == "warning"

    def test_another_port_still_counts(self, device):
        port_exclusion.exclude(device.component, port(device, "eth2"), SOMEBODY)
        polling.poll([device.pk])
        assert status_of(device) == "warning"

    def test_a_limit_of_an_excluded_port_is_not_broken_but_its_value_stays(self):
        traffic = [
            Sensor(f"if.{index}.in", f"eth{index} in", Quantity.TRAFFIC, "bit/s", Limits(upper_warning=1))
            for index in (1, 2)
        ]
        judged = judging.snapshot([Reading(sensor, 5.0) for sensor in traffic], {})
        counted = exclusions.counted_readings(judged, frozenset({2}))
        assert [breach.sensor.key for breach in counted.breaches] == ["if.1.in"]
        assert (counted.statuses, counted.exact) == (judged.statuses, judged.exact)

    def test_a_sensor_belongs_to_the_port_that_its_key_names(self):
        assert [exclusions.port_of(key) for key in ("if.2.in", "if.12.down", "sensor.1", "ifx.2.in")] == [
            2,
            12,
            None,
            None,
        ]

    def test_the_problem_that_a_trap_opened_does_not_count_either(self, device):
        definition = AlertDefinition.objects.create(
            key="test.link-down", name="Link down", severity=Severity.WARNING, object="index", object_kind="port"
        )
        incident = Incident.objects.create(
            component=device.component,
            place=f"component {device.component_id}",
            definition=definition,
            object="2",
            severity=Severity.WARNING,
            title=Phrase("Link of eth1 went down"),
        )
        settle_causes([incident])
        assert StatusCause.objects.filter(component=device.component, source="alert").exists()
        port_exclusion.exclude(device.component, port(device), SOMEBODY)
        assert not StatusCause.objects.filter(component=device.component, source="alert").exists()
        assert status_of(device) == "normal"
        port_exclusion.include(device.component, port(device), SOMEBODY)
        assert StatusCause.objects.filter(component=device.component, source="alert").exists()

    def test_it_is_audited_with_what_was_excluded_before_and_after(self, device):
        port_exclusion.exclude(device.component, port(device), SOMEBODY)
        entry = AuditEntry.objects.get(action="component.exclude_ports")
        assert (entry.before, entry.after) == ({"ports": []}, {"ports": [f"eth1 {port(device).mac_address}"]})


class TestFile:
    """The guide's rules."""

    def taken(self, text: str, role: str = "administrator", **about):
        return nic_file.take(text, make_user(role, **about), SOMEBODY)

    def whys(self, report) -> dict[int, str]:
        return {one.number: str(one.why) for one in report.ignored}

    def test_a_line_names_a_component_and_its_addresses(self, device):
        name, mac = device.component.name, port(device).mac_address
        report = self.taken(f"{name}={mac.upper()},11-22-33-44-55-66\r\n")
        assert [(one.component, one.mac_addresses, one.not_seen) for one in report.taken] == [
            (device.component, (mac, "11:22:33:44:55:66"), ("11:22:33:44:55:66",))
        ]
        assert report.ignored == []
        assert status_of(device) == "normal"

    def test_the_last_of_several_lines_counts(self, device):
        name = device.component.name
        report = self.taken(f"{name}=11:22:33:44:55:66\nother=1\n{name}=11:22:33:44:55:77\n")
        assert list(ExcludedPort.objects.values_list("mac_address", flat=True)) == ["11:22:33:44:55:77"]
        assert self.whys(report)[1] == "Line 3 names the same component, and the last one counts."

    def test_a_wrong_line_is_ignored_as_a_whole_and_does_not_hide_a_right_one(self, device):
        name = device.component.name
        report = self.taken(f"{name}=11:22:33:44:55:66\n{name}=11:22:33:44:55:77,nonsense\n")
        assert list(ExcludedPort.objects.values_list("mac_address", flat=True)) == ["11:22:33:44:55:66"]
        assert self.whys(report) == {2: "nonsense is no MAC address."}

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("no equals sign", "There is no = between a component's name and its addresses."),
            ("=11:22:33:44:55:66", "The component's name is missing."),
            ("{name}=", "There is no MAC address."),
            ("{name}=11:22:33:44:55", "11:22:33:44:55 is no MAC address."),
            ("{name}=11:22:33:44:55:66,", "“” is no MAC address."),
            ("{name}=11:22-33:44:55:66", "11:22-33:44:55:66 is no MAC address."),
            ("nobody=11:22:33:44:55:66", "No component has this name."),
            ("ALIAS=11:22:33:44:55:66", "This is the alias of {name}: write the component's name."),
        ],
    )
    def test_what_is_ignored_says_why_and_changes_nothing(self, device, line: str, why: str):
        Component.objects.filter(pk=device.component_id).update(alias="ALIAS")
        name = device.component.name
        report = self.taken(line.format(name=name))
        assert self.whys(report) == {1: why.format(name=name)}
        assert not ExcludedPort.objects.exists()

    def test_a_line_is_the_whole_list_and_other_components_keep_theirs(self, device):
        other = make_component("other")
        ExcludedPort.objects.create(component=other, mac_address="aa:aa:aa:aa:aa:aa")
        port_exclusion.exclude(device.component, port(device), SOMEBODY)
        self.taken(f"{device.component.name}=11:22:33:44:55:66")
        assert set(ExcludedPort.objects.values_list("component", "mac_address")) == {
            (other.pk, "aa:aa:aa:aa:aa:aa"),
            (device.component_id, "11:22:33:44:55:66"),
        }

    def test_a_name_may_hold_an_equals_sign(self):
        component = make_component("a=b")
        assert [one.component for one in self.taken("a=b=11:22:33:44:55:66").taken] == [component]

    def test_who_may_not_change_a_component_or_not_even_see_it_cannot_exclude_its_ports(self):
        group = make_group("Osaka")
        make_component("seen", group)
        make_component("unseen")
        report = self.taken("seen=11:22:33:44:55:66\nunseen=11:22:33:44:55:66", "viewer", group=group)
        assert self.whys(report) == {1: "You may not change this component.", 2: "No component has this name."}
        assert not ExcludedPort.objects.exists()

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
    def test_it_is_read_as_editors_write_it(self, encoding: str):
        text = "サーバ1=11:22:33:44:55:66\r\n"
        assert nic_file.decode(text.encode(encoding)) == text


class TestApi:
    """PATCH of a port, the list, and the import."""

    def test_a_port_is_excluded_and_shown_as_such(self, device):
        admin = api()
        answer = admin.patch(url(device), {"excluded": True}, format="json")
        assert (answer.status_code, answer.json()["excluded"], answer.json()["state"]) == (200, True, "down")
        listed = admin.get(f"/api/v1/components/{device.component_id}/ports/?excluded=true").json()
        assert [row["name"] for row in listed["results"]] == ["eth1"]
        assert admin.get(url(device)).json()["excluded"] is True
        assert status_of(device) == "normal"
        assert admin.patch(url(device), {"excluded": False}, format="json").json()["excluded"] is False
        assert not ExcludedPort.objects.exists()

    def test_the_neighbour_stands_at_its_port(self, device):
        first = api().get(url(device, 1)).json()
        assert [(one["system_name"], one["port_id"], one["gone_at"]) for one in first["neighbours"]] == [
            ("fake-switch", "1/0/1", None)
        ]
        assert api().get(url(device, 2)).json()["neighbours"] == []

    def test_a_port_without_a_mac_address_cannot_be_excluded(self, device):
        with pytest.raises(ValidationError, match="without a MAC address"):
            port_exclusion.exclude(device.component, replace(port(device), mac_address=None), SOMEBODY)
        assert not ExcludedPort.objects.exists()

    @pytest.mark.parametrize("body", [{"excluded": "yes"}, {"excluded": None}, {"exclude": True}])
    def test_a_wrong_body_is_refused_and_names_its_key(self, device, body):
        answer = api().patch(url(device), body, format="json")
        assert (answer.status_code, set(answer.json()["errors"])) == (400, set(body))

    def test_viewers_may_not_and_strangers_do_not_find_it(self, device):
        assert api("viewer").patch(url(device), {"excluded": True}, format="json").status_code == 403
        stranger = api("administrator", group=make_group("elsewhere"))
        assert stranger.patch(url(device), {"excluded": True}, format="json").status_code == 404
        assert api().patch(url(device, 99), {"excluded": True}, format="json").status_code == 404
        assert not ExcludedPort.objects.exists()

    def test_exclusions_are_listed_made_and_removed(self, device):
        admin = api()
        sent = {"component": device.component_id, "mac_address": "AA-BB-CC-DD-EE-FF"}
        made = admin.post("/api/v1/excluded-ports/", sent, format="json").json()
        assert (made["mac_address"], made["port_name"]) == ("aa:bb:cc:dd:ee:ff", "")
        assert admin.get("/api/v1/excluded-ports/?mac_address=aa:bb:cc:dd:ee:ff").json()["count"] == 1
        assert api("administrator", group=make_group("far")).get("/api/v1/excluded-ports/").json()["count"] == 0
        assert admin.delete(f"/api/v1/excluded-ports/{made['id']}/").status_code == 204
        wrong = admin.post("/api/v1/excluded-ports/", {**sent, "mac_address": "x"}, format="json")
        assert (wrong.status_code, set(wrong.json()["errors"])) == (400, {"mac_address"})

    def test_the_file_is_imported_and_every_line_told_of(self, device):
        name, mac = device.component.name, port(device).mac_address
        answer = api().post("/api/v1/excluded-ports/import/", {"text": f"{name}={mac}\nwrong\n"}, format="json")
        assert answer.status_code == 200
        assert answer.json() == {
            "taken": [
                {
                    "line": 1,
                    "text": f"{name}={mac}",
                    "component": device.component_id,
                    "mac_addresses": [mac],
                    "not_seen": [],
                }
            ],
            "ignored": [
                {"line": 2, "text": "wrong", "why": "There is no = between a component's name and its addresses."}
            ],
        }

    def test_a_file_without_a_line_is_refused_and_so_is_a_viewer(self):
        assert api().post("/api/v1/excluded-ports/import/", {}, format="json").status_code == 400
        assert api("viewer").post("/api/v1/excluded-ports/import/", {"text": "a=b"}, format="json").status_code == 403


class TestPages:
    """The button at the port, the list and the form."""

    def test_the_button_takes_a_port_out_and_back_in(self, device, client):
        client.force_login(make_user("administrator"))
        page = client.get(f"/components/{device.component_id}/", {"tab": "ports"}).content.decode()
        assert "Exclude eth1 from the status" in page
        button = f"/components/{device.component_id}/ports/{device.pk}/2/excluded/"
        assert client.post(button, {"excluded": "1"}).status_code == 302
        page = client.get(f"/components/{device.component_id}/", {"tab": "ports"}).content.decode()
        assert "Let eth1 count again" in page
        assert "#dots" in page
        assert "· 1 excluded" in " ".join(page.split())
        client.post(button, {"excluded": "0"})
        assert not ExcludedPort.objects.exists()

    def test_a_viewer_sees_no_button_and_is_refused(self, device, client):
        client.force_login(make_user("viewer"))
        page = client.get(f"/components/{device.component_id}/", {"tab": "ports"}).content.decode()
        assert "fake-switch" in page
        assert "from the status" not in page
        button = f"/components/{device.component_id}/ports/{device.pk}/2/excluded/"
        assert client.post(button, {"excluded": "1"}).status_code == 403
        assert client.post("/components/excluded-ports/", {"text": "a=11:22:33:44:55:66"}).status_code == 403
        assert not ExcludedPort.objects.exists()

    def test_a_file_is_chosen_and_its_lines_are_told_of(self, device, client):
        client.force_login(make_user("administrator"))
        lines = f"{device.component.name}={port(device).mac_address}\r\nwrong\r\n"
        file = SimpleUploadedFile("NICStatusNotShow.txt", lines.encode("cp932"))
        answer = client.post("/components/excluded-ports/", {"file": file})
        text = " ".join(answer.content.decode().split())
        assert answer.status_code == 200
        assert "1 taken, 1 ignored" in text
        assert "every port with this address" in text
        row = ExcludedPort.objects.get()
        client.post(f"/components/excluded-ports/{row.pk}/remove/")
        assert not ExcludedPort.objects.exists()

    def test_nothing_chosen_is_an_error_at_the_form(self, client):
        client.force_login(make_user("administrator"))
        answer = client.post("/components/excluded-ports/", {})
        assert answer.status_code == 400
        assert "Choose a file, or enter its lines." in answer.content.decode()

"""Event logs of controllers: of OpenIPMI's simulator, beside what ipmitool reads there, and of a simulated iLO."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.components.models import ManagementInterface
from apps.monitoring.models import LoggedEntry, LogPlace
from apps.monitoring.services import collecting, polling
from tests.factories import make_component, make_credential, make_interface
from tests.ipmi_sim import PASSWORD, USERNAME, IpmiSim, ipmi_sim
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_program  # noqa: F401

pytestmark = pytest.mark.django_db
DRIVE_FAULT = "sel_add 0x20 0x02 0 0 0 0 0x20 0 4 0x0d 34 0x6f 1 0xff 0xff"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpmiSim]:
    with ipmi_sim(tmp_path_factory.mktemp("bmc")) as running:
        yield running


def poll_when_due(interface: ManagementInterface) -> None:
    LogPlace.objects.update(asked_at=timezone.now() - timedelta(hours=1))
    assert polling.poll([interface.pk]) == {interface.pk: None}


def listed(simulator: IpmiSim) -> list[list[str]]:
    """Give the entries as ipmitool lists them: number, day, time, sensor, event, direction."""
    lines = simulator.ipmitool("sel", "elist").splitlines()
    return [[field.strip() for field in line.split("|")] for line in lines if "|" in line]


def test_entries_are_those_that_ipmitool_reads_and_stay_when_it_clears_the_log(simulator):
    login = make_credential("password", username=USERNAME, password=PASSWORD)
    interface = make_interface(
        make_component(), polled=False, driver="bmc", address="127.0.0.1", port=simulator.port, credential=login
    )
    assert collecting.collect([interface.pk]) == {interface.pk: None}
    rows = list(LoggedEntry.objects.filter(interface=interface).order_by("pk"))
    theirs = listed(simulator)
    assert [int(row.key) for row in rows] == [int(line[0], 16) for line in theirs]
    assert [f"{row.at:%m/%d/%y}" for row in rows] == [line[1] for line in theirs]
    assert [f"{row.at:%H:%M:%S}" for row in rows] == [line[2].split()[0] for line in theirs]
    assert [row.source in line[3] for row, line in zip(rows, theirs, strict=True)] == [True] * 3
    assert [row.asserted for row in rows] == [line[5] == "Asserted" for line in theirs]
    assert [row.severity for row in rows] == ["critical", "critical", "normal"]
    assert simulator.sessions() == 0

    simulator.say(DRIVE_FAULT)
    poll_when_due(interface)
    newest = LoggedEntry.objects.filter(interface=interface).order_by("-pk")[0]
    assert (newest.key, newest.source, newest.severity) == ("4", "Drive 1", "critical")
    assert len(listed(simulator)) == 4

    simulator.ipmitool("sel", "clear")
    poll_when_due(interface)
    kept = LoggedEntry.objects.filter(interface=interface)
    still = kept.filter(cleared_at=None).count()
    assert still == len(listed(simulator))
    assert kept.filter(cleared_at__isnull=False).count() == 4
    simulator.say(DRIVE_FAULT)
    poll_when_due(interface)
    poll_when_due(interface)
    assert kept.filter(cleared_at=None).count() == still + 1
    assert simulator.sessions() == 0


def test_the_logs_of_an_ilo_are_kept_apart(ilo_program: IloProgram):  # noqa: F811
    login = make_credential("password", username=USER, password=SECRET)
    interface = make_interface(
        make_component(), polled=False, driver="ilo", address="127.0.0.1", port=ilo_program.port, credential=login
    )
    assert polling.poll([interface.pk]) == {interface.pk: None}
    kept = LoggedEntry.objects.filter(interface=interface)
    assert sorted(kept.values_list("key", flat=True))[:2] == ["IEL/1", "IML/1"]
    before = kept.count()
    ilo_program.tell("fault psu-failed")
    poll_when_due(interface)
    (news,) = kept.order_by("pk")[before:]
    assert news.key.startswith("IML/")
    assert news.severity == "critical"
    ilo_program.tell("mend psu-failed")
    poll_when_due(interface)
    assert kept.order_by("-pk")[0].severity == "normal"
    assert LogPlace.objects.get().filled < 1
    assert ilo_program.tell("sessions") == "0"

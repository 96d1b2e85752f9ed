"""From registration to chart with net-snmp's agent, which we did not write."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from apps.components.models import Component, InventoryItem, ManagementInterface, StatusCause
from apps.monitoring.models import Sensor
from apps.monitoring.services import collecting, history, polling, readings
from tests.factories import make_component, make_credential, make_interface
from tests.peers import V3_LOGIN, snmpd  # noqa: F401

pytestmark = pytest.mark.django_db


def registered(port: int, credential) -> ManagementInterface:
    return make_interface(
        make_component(), polled=False, driver="snmp_agent", address="127.0.0.1", port=port, credential=credential
    )


@pytest.mark.parametrize("version", ["2c", "3"])
def test_a_real_agent_is_polled_shown_and_normal(snmpd, version):  # noqa: F811
    credential = (
        make_credential("snmp-community", version="2c", community="public")
        if version == "2c"
        else make_credential("snmp-v3", **V3_LOGIN)
    )
    interface = registered(snmpd.port, credential)
    assert collecting.collect([interface.pk]) == {interface.pk: None}
    first = {view.key: view for view in readings.latest(interface.component)}
    assert 0 < first["memory"].value <= 100
    assert first["uptime"].value >= 0
    rates = [view for view in first.values() if view.unit == "bit/s"]
    assert rates
    assert {str(view.why) for view in rates if view.value is None} == {"needs two readings"}

    # A rate needs more than a second between two readings: for the driver, the first one was a minute ago.
    interface.refresh_from_db()
    interface.state["rates"]["at"] -= 60
    interface.state["rates"]["uptime"] -= 60
    ManagementInterface.objects.filter(pk=interface.pk).update(state=interface.state)
    polling.poll([interface.pk])
    rates = [view for view in readings.latest(interface.component) if view.unit == "bit/s"]
    assert any(view.value is not None for view in rates)
    component = Component.objects.get(pk=interface.component_id)
    assert component.status == "normal", list(StatusCause.objects.values_list("source", "key", "text"))
    assert component.memory is not None
    assert component.operating_system.startswith("Linux")
    assert component.up_since is not None
    assert InventoryItem.objects.filter(interface=interface, kind="storage").exists()
    (ports,) = readings.ports(component)
    assert "lo" in {port.name for port in ports.ports}
    memory = Sensor.objects.get(interface=interface, key="memory")
    now = datetime.now(UTC)
    assert len(history.samples(memory, now - timedelta(hours=1), now + timedelta(minutes=1)).points) == 2


def test_a_wrong_community_is_unknown_and_says_so(snmpd):  # noqa: F811
    interface = registered(snmpd.port, make_credential("snmp-community", version="2c", community="wrong"))
    begun = time.monotonic()
    (error,) = polling.poll([interface.pk]).values()
    assert error.code == "unreachable"
    assert time.monotonic() - begun < 15
    interface.refresh_from_db()
    assert (interface.status, interface.failures) == ("unknown", 1)
    assert Component.objects.get(pk=interface.component_id).status == "unknown"

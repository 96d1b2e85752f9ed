"""A link trap that names no port gets the name that the last poll saw."""

import socket

import pytest
from django.utils import timezone

from apps.alerts.models import Alert
from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.receivers.store import Store
from apps.drivers.contract import Port, PortsReport, PortState
from apps.monitoring import port_reports
from apps.monitoring.models import LastPorts
from apps.protocols.snmp.ber import Tag
from apps.protocols.snmp.notification import encode_notification_v2
from tests.factories import make_component, make_interface


@pytest.mark.django_db
@pytest.mark.usefixtures("definitions")
def test_the_port_is_called_as_the_device_called_it_at_the_last_poll():
    interface = make_interface(make_component(), address="192.0.2.1")
    ports = tuple(
        Port(number, f"GigabitEthernet0/{number}", "", "", None, PortState.UP, None, 6, 64) for number in (1, 2)
    )
    report = port_reports.pack(PortsReport(ports, None))
    LastPorts.objects.create(interface=interface, report=report, measured_at=timezone.now())
    bound = [("1.3.6.1.2.1.2.2.1.1.2", Tag.INTEGER, 2)]
    data = encode_notification_v2(b"public", "1.3.6.1.6.3.1.1.5.3", varbinds=bound)
    store = Store()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        store.commit(store.prepare([Datagram(data, ("192.0.2.1", 162), unused)]))
    assert str(Alert.objects.get().title) == "Link of GigabitEthernet0/2 went down"

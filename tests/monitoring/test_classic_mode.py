"""Classic mode over sensors, limits and addresses goes through scope and services."""

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.models import AuditEntry
from apps.monitoring.models import InventoryChange, Limit, Liveness, Sensor
from apps.monitoring.services import polling
from tests.factories import make_group, make_user
from tests.monitoring.conftest import fake_device

pytestmark = [pytest.mark.django_db, pytest.mark.urls("esm.classic_urls")]


@pytest.fixture
def device():
    interface = fake_device()
    polling.poll([interface.pk])
    Liveness.objects.create(
        component=interface.component, address=interface.address, answers=True, since=timezone.now()
    )
    Limit.objects.create(interface=interface, key="storage.1", upper_warning=10.0)
    size = [["Size (bytes)", 2**36, None]]
    InventoryChange.objects.create(
        interface=interface, at=timezone.now(), change="gone", kind="memory", key="1", name="DIMM 1", facts=size
    )
    return interface


def signed_in(role: str, **about) -> Client:
    client = Client()
    client.force_login(make_user(role, is_staff=True, **about))
    return client


@pytest.mark.parametrize("model", ["sensor", "limit", "liveness", "loggedentry", "logplace", "inventorychange"])
def test_rows_are_listed_to_those_who_see_their_component(device, model):
    words = {"sensor": "CPU load", "limit": "storage.1", "loggedentry": "Fan 2: lower critical going low"}
    words["inventorychange"] = "DIMM 1"
    word = words.get(model, device.address)
    assert word in signed_in("viewer").get(f"/monitoring/{model}/").content.decode()
    stranger = signed_in("viewer", group=make_group())
    assert word not in stranger.get(f"/monitoring/{model}/").content.decode()


def test_a_limit_is_changed_through_the_service(device):
    limit = Limit.objects.get()
    assert Sensor.objects.get(interface=device, key="storage.1").status == "normal"
    sent = {"lower_critical": "", "lower_warning": "", "upper_warning": "15.5", "upper_critical": "95"}
    answer = signed_in("administrator").post(f"/monitoring/limit/{limit.pk}/change/", sent)
    assert answer.status_code == 302
    limit.refresh_from_db()
    assert limit.upper_warning == 15.5
    assert AuditEntry.objects.filter(action="sensor.limits").exists()
    assert Sensor.objects.get(interface=device, key="storage.1").status == "warning"


def test_a_viewer_changes_nothing(device):
    limit = Limit.objects.get()
    answer = signed_in("viewer").post(f"/monitoring/limit/{limit.pk}/change/", {"upper_warning": "99"})
    assert answer.status_code == 403
    limit.refresh_from_db()
    assert limit.upper_warning == 10.0


def test_an_event_log_is_read_as_the_device_wrote_it_and_never_changed(device):
    entry = device.logged_entries.get(key="1")
    client = signed_in("administrator")
    page = client.get(f"/monitoring/loggedentry/{entry.pk}/change/").content.decode()
    assert entry.raw in page
    assert '<input type="submit"' not in page
    assert client.post(f"/monitoring/loggedentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    listed = client.get("/monitoring/loggedentry/?cleared_at=cleared").content.decode()
    assert "Fan 2: lower critical going low" not in listed
    assert "Fan 2: lower critical going low" in client.get("/monitoring/loggedentry/?q=going+low").content.decode()


def test_inventory_changes_are_read_with_what_differs_and_never_changed(device):
    change = InventoryChange.objects.get()
    client = signed_in("administrator")
    listed = client.get("/monitoring/inventorychange/?q=DIMM&change=gone").content.decode()
    assert "64\N{NO-BREAK SPACE}GiB" in listed
    assert "DIMM 1" not in client.get("/monitoring/inventorychange/?change=appeared").content.decode()
    page = client.get(f"/monitoring/inventorychange/{change.pk}/change/").content.decode()
    assert "64\N{NO-BREAK SPACE}GiB" in page
    assert '<input type="submit"' not in page
    assert client.post(f"/monitoring/inventorychange/{change.pk}/delete/", {"post": "yes"}).status_code == 403

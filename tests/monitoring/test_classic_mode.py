"""Classic mode over sensors, limits and addresses goes through scope and services."""

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.models import AuditEntry
from apps.monitoring.models import Limit, Liveness, Sensor
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
    return interface


def signed_in(role: str, **about) -> Client:
    client = Client()
    client.force_login(make_user(role, is_staff=True, **about))
    return client


@pytest.mark.parametrize("model", ["sensor", "limit", "liveness"])
def test_rows_are_listed_to_those_who_see_their_component(device, model):
    word = {"sensor": "CPU load", "limit": "storage.1", "liveness": device.address}[model]
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

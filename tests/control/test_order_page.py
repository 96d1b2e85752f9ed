"""The dialog of an order names whom it reaches and what it touches; buttons are there for those who may."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.components.models import Component
from apps.components.services import reservations
from apps.control.models import ConsoleSession
from apps.core.models import Job
from tests.control.conftest import machine, received, run
from tests.factories import make_component, make_group, make_interface, make_user

pytestmark = pytest.mark.django_db

URL = "/operations/"


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator():
    return signed_in(make_user("operator", username="olga"))


def page(client, name, devices, **more):
    ids = ",".join(str(device.component_id) for device in devices)
    return client.get(URL, {"order": name, "ids": ids, **more})


def confirm(client, name, devices, **more):
    ids = ",".join(str(device.component_id) for device in devices)
    return client.post(URL, {"order": name, "ids": ids, "confirmed": "yes", "expect": len(devices), **more})


def text(response):
    return " ".join(response.content.decode().split())


def test_the_dialog_names_the_targets_and_how_they_are_and_orders_nothing(operator, queued):
    devices = [machine(make_component(name)) for name in ("db-01", "db-02")]
    Component.objects.filter(name="db-01").update(power_state="on", power_seen_at=timezone.now())
    answer = page(operator, "power.off", devices)
    assert answer.status_code == 200
    shown = text(answer)
    assert "Force off: 2 components" in shown
    assert 'db-01 <span class="mut">on,' in shown
    assert 'db-02 <span class="mut">not known</span>' in shown
    assert "Nothing else, as far as the portal knows." in shown
    assert not Job.objects.exists()


def test_confirming_leads_to_the_job_and_orders_once(operator, queued):
    device = machine()
    answer = confirm(operator, "power.off", [device])
    job = Job.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/jobs/{job.pk}/")
    run(job)
    assert received(device) == ["power off"]
    by_script = operator.post(
        URL,
        {"order": "lamp.on", "ids": device.component_id, "confirmed": "yes"},
        headers={"HX-Request": "true"},
    )
    assert by_script["HX-Redirect"] == f"/jobs/{Job.objects.order_by('-pk')[0].pk}/"


def test_what_is_touched_is_told_before(operator, queued):
    host = machine(make_component("esx-01", category="hypervisor"))
    Component.objects.create(name="guest-01", group=host.component.group, parent=host.component)
    colleague = signed_in(make_user("operator", username="chris"))
    colleague.get(f"/components/{host.component_id}/")
    operator.get(f"/components/{host.component_id}/")
    reservations.reserve(host.pk, "update", "chris", timedelta(minutes=5))
    about = {"component": host.component, "interface": host}
    ConsoleSession.objects.create(**about, opened_by_name="chris", holder_name="dana")
    shown = text(page(operator, "power.off", [host]))
    for sentence in (
        "Hypervisors, whose guests end without a shutdown: 1",
        "Other components that stand or run in these: 1",
        "guest-01",
        "esx-01: chris (update)",
        "Open consoles: 1",
        "esx-01: dana",
        "Other users who have these components open: 1",
        "chris (esx-01)",
    ):
        assert sentence in shown
    assert "olga (esx-01)" not in shown
    gentle = text(page(operator, "lamp.on", [host]))
    assert "Hypervisors" not in gentle


def test_who_else_is_signed_in_and_may_order_the_same_is_named(operator, queued):
    device = machine()
    signed_in(make_user("operator", username="chris")).get("/")
    signed_in(make_user("viewer", username="vera")).get("/")
    signed_in(make_user("operator", make_group(), username="somewhere-else")).get("/")
    shown = text(page(operator, "power.off", [device]))
    assert "Others who are signed in and may order the same: 1" in shown
    assert "chris" in shown
    for name in ("vera", "somewhere-else"):
        assert name not in shown


def test_what_stands_in_a_target_and_may_not_be_seen_is_only_counted(queued):
    group = make_group()
    host = machine(make_component("esx-01", group, category="hypervisor"))
    Component.objects.create(name="secret-guest", group=make_group(), parent=host.component)
    shown = text(page(signed_in(make_user("operator", group)), "power.off", [host]))
    assert "Other components that stand or run in these: 1" in shown
    assert "secret-guest" not in shown


def test_forcing_more_than_ten_is_typed(operator, queued):
    devices = [machine() for _ in range(11)]
    assert "force off 11" in text(page(operator, "power.off", devices))
    assert "to confirm" not in text(page(operator, "power.shutdown", devices))
    answer = confirm(operator, "power.off", devices, typed="force off")
    assert answer.status_code == 400
    assert not Job.objects.exists()
    assert confirm(operator, "power.off", devices, typed="force off 11").status_code == 302
    assert Job.objects.get().total == 11


def test_whoever_may_not_is_told_and_nothing_begins(queued):
    device = machine()
    viewer = signed_in(make_user("viewer"))
    assert "You may not order this of 1 of them" in text(page(viewer, "power.off", [device]))
    assert confirm(viewer, "power.off", [device]).status_code == 403
    assert not Job.objects.exists()
    stranger = signed_in(make_user("operator", make_group()))
    assert "Nothing is chosen" in text(page(stranger, "power.off", [device]))
    assert device.component.name not in text(page(stranger, "power.off", [device]))


def test_fewer_targets_than_were_shown_are_not_ordered(operator, queued):
    devices = [machine(), machine()]
    ids = ",".join(str(device.component_id) for device in devices)
    devices[1].component.delete()
    answer = operator.post(URL, {"order": "power.off", "ids": ids, "confirmed": "yes", "expect": 2})
    assert answer.status_code == 409
    assert not Job.objects.exists()


def test_a_boot_device_is_chosen_in_the_dialog(operator, queued):
    device = machine()
    assert "the network (PXE)" in text(page(operator, "boot", [device]))
    assert confirm(operator, "boot", [device], device="nonsense", once="once").status_code == 400
    confirm(operator, "boot", [device], device="usb", once="always", firmware="uefi")
    run(Job.objects.get())
    assert received(device) == ["boot usb always"]


def test_the_button_of_a_form_says_what_it_does_and_one_machine_is_not_taken_in_turns(operator, queued):
    first, second = machine(), machine()
    alone, both = text(page(operator, "boot", [first])), text(page(operator, "boot", [first, second]))
    assert ("Set the boot device" in alone, "at a time" in alone) == (True, False)
    assert ("Set the boot device" in both, "at most 10 at a time" in both) == (True, True)


def test_buttons_are_there_for_what_can_be_done_by_those_who_may(operator, queued):
    able, unable = machine(), make_interface()
    viewer = signed_in(make_user("viewer"))
    menu = f'href="{URL}?order=power.off&amp;ids={able.component_id}"'
    assert menu in operator.get(f"/components/{able.component_id}/").content.decode()
    assert menu not in viewer.get(f"/components/{able.component_id}/").content.decode()
    assert "?order=power" not in operator.get(f"/components/{unable.component_id}/").content.decode()
    assert 'name="order"' in operator.get("/components/").content.decode()
    assert 'name="order"' not in viewer.get("/components/").content.decode()


def test_all_that_match_the_filter_are_meant_when_the_list_says_so(operator, queued):
    for name in ("web-01", "web-02", "db-01"):
        machine(make_component(name))
    answer = operator.post(URL, {"order": "lamp.on", "scope": "filter", "filter": "q=web"})
    assert "Light the locator lamp: 2 components" in text(answer)


def test_an_unknown_order_is_not_there(operator):
    assert operator.get(URL, {"order": "power.explode"}).status_code == 404

"""Settings by role, page and API: whoever may not sends nothing to a controller, whoever may sets it once."""

from collections.abc import Iterator

import pytest
from django.test import Client

from apps.control.models import SettingsOrder
from apps.control.settings import services
from apps.core.actors import Actor, ActorKind
from apps.core.models import AuditEntry, Job
from tests.bmc_peers import BmcProgram, bmc_programs
from tests.control.conftest import run
from tests.factories import make_component, make_credential, make_group, make_interface, make_user
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_programs

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
WISH = {"destinations.community": "alarm"}
API = "/api/v1/components/{}/settings/"


@pytest.fixture(scope="module")
def bmc() -> Iterator[BmcProgram]:
    with bmc_programs("127.53.9", 1) as (program,):
        yield program


@pytest.fixture(scope="module")
def ilo() -> Iterator[IloProgram]:
    with ilo_programs(1, "--restarts-in", "0.5") as (program,):
        yield program


def read(admin, program, driver: str):
    made = make_interface(
        make_component(group=make_group("Rack 1")),
        driver=driver,
        address=getattr(program, "address", "127.0.0.1"),
        port=program.port,
        credential=make_credential("password", username=USER, password=SECRET),
    )
    assert [step.state for step in run(services.read([made.component], admin))] == ["done"]
    return made


def everything(client_of, user, component: int, order: SettingsOrder) -> set[int]:
    """Try all that can be ordered, by page and by API, and carry out what was begun."""
    api, browser = client_of(user), Client()
    browser.force_login(user)
    url, page = API.format(component), f"/components/{component}/settings/"
    answers = [
        api.patch(url, {"settings": WISH}, format="json"),
        api.post(f"{url}read/", {}, format="json"),
        api.post(f"{url}restart/", {}, format="json"),
        api.post(f"{url}reset/", {}, format="json"),
        api.post("/api/v1/settings-jobs/", {"components": [component], "settings": WISH}, format="json"),
        browser.post(page, {"destinations.community": "alarm", "initial-destinations.community": "public"}),
        browser.post(f"{page}restart/", {}),
        browser.post(f"{page}defaults/", {}),
        browser.post(f"{page}reset/", {"typed": "reset"}),
        browser.post("/device-settings/", {"ids": component, "wished": "1", "destinations.community": "alarm"}),
        browser.post("/device-settings/read/", {"ids": component}),
        browser.post("/device-settings/apply/", {"order": order.pk, "expect": 1}),
    ]
    for job in Job.objects.filter(created_by=user):
        run(job)
    return {one.status_code for one in answers}


def test_refused_settings_reach_no_controller_and_allowed_ones_are_written_once(admin, client_of, queued, bmc):
    server = read(admin, bmc, "bmc")
    group, pk = server.component.group, server.component_id
    before = bmc.tell("packets")
    order = services.propose(services.differ([server.component], WISH), admin)
    assert everything(client_of, make_user("viewer", group), pk, order) <= {302, 400, 403, 404}
    assert everything(client_of, make_user("operator", make_group("Rack 2")), pk, order) <= {302, 400, 404}
    assert everything(client_of, make_user(None), pk, order) <= {302, 400, 403, 404}
    assert Job.objects.exclude(created_by=admin.user).count() == 0
    assert bmc.tell("packets") == before
    assert not AuditEntry.objects.filter(action="settings.write").exists()

    operator = make_user("operator", group)
    done = client_of(operator).patch(API.format(pk), {"settings": WISH}, format="json")
    assert done.status_code == 202
    assert [step.state for step in run(Job.objects.get(pk=done.json()["job"]))] == ["done"]
    assert int(bmc.tell("packets")) > int(before)
    assert "SNMP Community String   : alarm" in bmc.ipmitool("lan", "print", "1")
    (entry,) = AuditEntry.objects.filter(action="settings.write")
    assert (entry.login, entry.after) == (operator.username, {"Community of alerts": "alarm", "outcome": "done"})
    restarted = client_of(operator).post(f"{API.format(pk)}restart/", {}, format="json")
    assert restarted.status_code == 202


def test_refused_settings_reach_no_redfish_service_and_allowed_ones_are_written_once(admin, client_of, queued, ilo):
    server = read(admin, ilo, "ilo")
    group, pk = server.component.group, server.component_id
    before = ilo.tell("requests")
    order = services.propose(services.differ([server.component], {"network.host_name": "theirs"}), admin)
    assert everything(client_of, make_user("viewer", group), pk, order) <= {302, 400, 403, 404}
    assert everything(client_of, make_user("operator", make_group("Rack 2")), pk, order) <= {302, 400, 404}
    assert ilo.tell("requests") == before
    assert ilo.tell("writes") == "nothing"

    operator = make_user("operator", group)
    actor = Actor(ActorKind.USER, operator.username, operator)
    order = services.propose(services.differ([server.component], {"network.host_name": "ours"}), actor)
    browser = Client()
    browser.force_login(operator)
    form = {"order": order.pk, "expect": 1}
    assert browser.post("/device-settings/apply/", form).status_code == 302
    browser.post("/device-settings/apply/", form)  # a second click
    (job,) = Job.objects.filter(kind="settings")
    assert [step.state for step in run(job)] == ["done"]
    assert ilo.tell("writes") == "/redfish/v1/Managers/1/EthernetInterfaces/1"
    assert ilo.tell("sessions") == "0"

"""Settings of a simulated iLO over TLS: it moves to another address, is changed by others, is lost by a change."""

from datetime import timedelta

import pytest

from apps.components.models import CredentialVersion
from apps.control.settings import running, services
from apps.core.models import Job, JobStep
from tests.control.conftest import run
from tests.factories import make_component, make_credential, make_interface
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_program  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(admin, queued, ilo_program: IloProgram):  # noqa: F811
    """Give an iLO whose settings were read."""
    made = make_interface(
        make_component("ilo-1"),
        driver="ilo",
        address="127.0.0.1",
        port=ilo_program.port,
        credential=make_credential("password", username=USER, password=SECRET),
    )
    assert [step.state for step in run(services.read([made.component], admin))] == ["done"]
    return made


def change(admin, server, wanted) -> tuple[str, str, str]:
    found = services.differ([server.component], wanted)
    job: Job = services.apply(services.propose(found, admin), admin)
    (step,) = run(job)
    return step.state, step.code, str(step.message)


def test_it_is_changed_step_by_step_and_lost_at_last(admin, server, monkeypatch, ilo_program: IloProgram):  # noqa: F811
    monkeypatch.setattr(running.SettingsRound, "looks_for", lambda self: timedelta(seconds=20))
    assert change(admin, server, {"services.ssh_port": 2222, "network.host_name": "bmc-9"}) == (
        "done",
        "",
        "It answers again and shows the new values.",
    )
    assert ilo_program.tell("writes").count("/redfish/v1/Managers/1/") == 2

    added = {"users.new.name": "eve", "users.new.password": "Geheim-4711", "users.new.privilege": "Operator"}
    state, _code, message = change(admin, server, added)
    assert (state, message) == (
        "done",
        "It answers again and shows the new values; a password cannot be read back.",
    )

    state, _code, message = change(admin, server, {"users.1.password": "ganz-neues-Wort"})
    assert (state, message.endswith("Its credential was changed with it.")) == ("done", True)
    assert CredentialVersion.objects.get(credential=server.credential).fields["password"] == "ganz-neues-Wort"

    stale = services.propose(services.differ([server.component], {"network.gateway": "192.0.2.7"}), admin)
    ilo_program.tell("host somebody-elses")  # another value: that does not matter
    order = services.propose(services.differ([server.component], {"network.host_name": "ours"}), admin)
    writes = ilo_program.tell("writes")
    (step,) = run(services.apply(order, admin))
    assert (step.state, step.code) == ("failed", "changed_meanwhile")
    assert "Host name is somebody-elses, it was bmc-9" in str(step.message)
    assert ilo_program.tell("writes") == writes
    assert [one.state for one in run(services.apply(stale, admin))] == ["done"]

    state, _code, message = change(admin, server, {"network.address": "127.0.0.2"})
    assert state == "done", message
    assert " The portal asks it at 127.0.0.2 from now on. " in message
    server.refresh_from_db()
    assert server.address == "127.0.0.2"
    assert ilo_program.tell("sessions") == "0"

    monkeypatch.setattr(running.SettingsRound, "looks_for", lambda self: timedelta(0))
    monkeypatch.setattr(running.SettingsRound, "further_tries", lambda self: 0)
    ilo_program.tell("fault lost-by-change")
    state, code, message = change(admin, server, {"network.vlan": 12})
    assert (state, code) == ("failed", "not_confirmed")
    assert "The last look failed" in message
    assert "somebody on site has to" in str(JobStep.objects.order_by("-pk")[0].remedy)

"""The portal's own processes and ports over the API, of a portal that runs."""

from collections.abc import Callable
from datetime import datetime

from tests.blackbox.client import Caller
from tests.e2e.portal import Portal
from tests.system.waiting import until

NAMES = ["broker", "worker-poll", "worker", "beat", "receiver", "console", "web"]


def test_every_process_is_told_with_what_it_uses(admin: Caller, portal: Portal) -> None:
    rows = admin.rows("processes/")
    ours = [row for row in rows if row["order"] is not None]
    assert [(row["name"], row["order"]) for row in ours] == [(name, n) for n, name in enumerate(NAMES, start=1)]
    assert {row["state"] for row in ours} == {"running"}
    assert all(0 < row["memory"] < 500 * 2**20 for row in ours)
    web = admin.get("processes/web/")
    numbers = [(port["number"], port["next_number"], port["open"]) for port in web["ports"]]
    assert numbers == [(port, port, True) for port in (portal.http_port, portal.classic_port)]
    assert datetime.fromisoformat(web["started_at"]) < datetime.fromisoformat(web["seen_at"])
    admin.get("processes/nobody/", status=404)


def test_our_ports_answer_and_say_what_a_firewall_has_to_let_in(admin: Caller, portal: Portal) -> None:
    ours = {row["id"]: row for row in admin.rows("ports/?used=true&direction=in")}
    numbers = {"PORT-01": portal.http_port, "PORT-02": portal.classic_port, "PORT-03": portal.trap_port}
    for identity, number in numbers.items():
        assert (ours[identity]["port"], ours[identity]["state"]) == (str(number), "answers"), identity
        assert "Only this machine can reach it" in ours[identity]["firewall"]
    assert "PORT-04" not in ours  # nobody receives those reports here
    (unused,) = [row for row in admin.rows("ports/?used=false&direction=in") if row["id"] == "PORT-04"]
    assert (unused["state"], unused["firewall"]) == ("not-used", "")


def test_a_port_of_the_environment_cannot_be_set(admin: Caller) -> None:
    option = admin.get("options/http_port/")
    assert (option["read_only"], option["environment"]) == (True, "ESM_HTTP_PORT")
    admin.patch("options/http_port/", {"value": 8443}, status=409)


def test_one_process_is_started_anew_by_who_may(admin: Caller, make_user: Callable[..., Caller]) -> None:
    operator = make_user("restless", "operator")
    before = admin.get("processes/receiver/")
    operator.get("processes/", status=403)
    operator.get("ports/", status=403)
    operator.post("processes/receiver/restart/", status=403)
    operator.post("processes/restart/", status=403)
    assert admin.get("processes/receiver/")["pid"] == before["pid"]
    ordered = admin.post("processes/receiver/restart/", status=202)
    assert (ordered["job"], ordered["processes"]) == (None, ["receiver"])

    def is_back() -> bool:
        now = admin.get("processes/receiver/")
        return bool(now["state"] == "running" and now["pid"] != before["pid"])

    until(is_back, "the receiver is another process")
    after = admin.get("processes/receiver/")
    assert after["restarts"] == before["restarts"] + 1
    assert after["last_restart"]["reason"] == "ordered"
    assert "(127.0.0.1)" in after["last_restart"]["detail"]
    (entry,) = admin.rows("audit/?action=portal.restart&object_name=receiver")
    assert (entry["outcome"], entry["actor_kind"]) == ("success", "token")


def test_the_web_process_answers_before_it_is_started_anew(admin: Caller) -> None:
    before = admin.get("processes/web/")["pid"]
    admin.post("processes/web/restart/", status=202)
    until(lambda: admin.get("processes/web/")["pid"] not in (None, before), "another process answers")

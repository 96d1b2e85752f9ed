"""What a demonstration tells the portal when it is started again: where its devices are, and what leads to them now."""

from collections.abc import Iterator
from typing import Any

from apps.simulators.fleet.plan import Plan, Spec
from apps.system.demo import registration

PORT = 21203


class FakeApi:
    """Answers from rows, and keeps what it was told."""

    def __init__(self, **rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.told: list[tuple[str, str, Any]] = []

    def every(self, path: str) -> Iterator[dict[str, Any]]:
        yield from self.rows[path.strip("/")]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        self.told.append((method, path, body))
        return {"id": 100 + len(self.told)}

    def post(self, path: str, body: Any) -> Any:
        return self.call("POST", path, body)


def component(name: str, *ways: tuple[int, str, str]) -> dict[str, Any]:
    interfaces = [{"id": pk, "driver": driver, "address": address, "port": PORT} for pk, driver, address in ways]
    return {"id": 7, "name": name, "interfaces": interfaces}


def follow(api: FakeApi, *specs: Spec) -> list[tuple[str, str, Any]]:
    registration.follow(api, Plan(specs), PORT)  # type: ignore[arg-type]
    return api.told


def test_who_stands_where_he_stood_is_left_alone():
    spec = Spec("app-01", "linux", "127.100.0.9", controller="bmc")
    row = component("app-01", (1, "snmp_agent", "127.100.0.9"), (2, "bmc", "127.100.1.9"))
    assert follow(FakeApi(components=[row]), spec) == []


def test_a_fleet_that_has_moved_is_followed_with_its_controllers():
    spec = Spec("app-01", "linux", "127.101.0.9", controller="bmc")
    row = component("app-01", (1, "snmp_agent", "127.100.0.9"), (2, "bmc", "127.100.1.9"))
    ((method, path, body),) = follow(FakeApi(components=[row]), spec)
    assert (method, path) == ("PATCH", "/components/7/")
    assert [way["address"] for way in body["interfaces"]] == ["127.101.0.9", "127.101.1.9"]


def test_a_server_whose_controller_is_of_another_kind_by_now_gets_that_one():
    spec = Spec("app-01", "linux", "127.100.0.9", controller="bmc")
    row = component("app-01", (1, "snmp_agent", "127.100.0.9"), (2, "ilo", "127.100.1.9"))
    present = [{"name": name, "id": number} for number, name in enumerate(("SNMP v1", "SNMP v2c", "iLO"), 1)]
    api = FakeApi(components=[row], credentials=present)
    made, changed = follow(api, spec)
    assert made[1] == "/credentials/"
    assert (made[2]["name"], made[2]["fields"]["username"]) == ("BMC", "watcher")
    assert changed[2]["interfaces"] == [
        {"id": 1, "address": "127.100.0.9", "port": PORT},
        {"driver": "bmc", "address": "127.100.1.9", "port": PORT, "credential": 101},
    ]

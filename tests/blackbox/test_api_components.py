"""Components and credentials over the API, as its description has them."""

import itertools
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.blackbox.client import ENVELOPE, Caller

COMPONENT = {
    *("id", "name", "alias", "category", "group", "parent", "slot", "addresses", "alert_addresses", "uuid"),
    *("serial_number", "manufacturer", "model", "status", "causes", "suspended", "last_seen_at", "interfaces"),
    *("power_state", "power_since", "restart_cause"),
}
INTERFACE = {
    *("id", "driver", "address", "port", "credential", "parameters", "enabled", "status", "last_polled_at"),
    *("last_error", "power_actions", "identity"),
}
_hosts = itertools.count(1)


def unused_address() -> str:
    """Give an address that no other component of the run has, and that no device has anywhere."""
    number = next(_hosts)
    return f"203.0.113.{number}"


def way(address: str = "", **more: Any) -> dict[str, Any]:
    """Give an interface that is never asked."""
    return {"driver": "snmp_agent", "address": address or unused_address(), "enabled": False, **more}


def test_a_name_is_enough_and_the_answer_has_exactly_the_agreed_shape(admin: Caller, root: int) -> None:
    made = admin.post("components/", {"name": "only a name"})
    assert set(made) == COMPONENT
    assert isinstance(made["id"], int)
    assert (made["group"], made["category"], made["interfaces"], made["addresses"]) == (root, "server", [], [])
    assert (made["uuid"], made["parent"], made["suspended"], made["status"]) == (None, None, False, "unknown")
    for cause in made["causes"]:
        assert set(cause) == {"status", "text", "source", "since"}
    assert admin.get(f"components/{made['id']}/") == made


def test_addresses_are_derived_and_alert_addresses_are_written(admin: Caller) -> None:
    first, second, relay = unused_address(), unused_address(), unused_address()
    body = {"name": "two ways", "alert_addresses": [relay], "interfaces": [way(first), way(second, port=1161)]}
    made = admin.post("components/", body)
    assert sorted(made["addresses"]) == sorted([first, second])
    assert made["alert_addresses"] == [relay]
    for one in made["interfaces"]:
        assert set(one) == INTERFACE
    assert [(one["driver"], one["port"], one["enabled"]) for one in made["interfaces"]] == [
        ("snmp_agent", 161, False),
        ("snmp_agent", 1161, False),
    ]
    changed = admin.patch(f"components/{made['id']}/", {"alert_addresses": []})
    assert changed["alert_addresses"] == []
    assert "addresses" in admin.patch(f"components/{made['id']}/", {"alias": "two", "addresses": []})
    assert len(admin.get(f"components/{made['id']}/")["addresses"]) == 2


def test_the_category_defaults_to_the_drivers(admin: Caller) -> None:
    only_alerts = {"driver": "alert_only", "address": unused_address(), "enabled": False}
    made = admin.post("components/", {"name": "tells only", "interfaces": [only_alerts]})
    assert made["category"] == "alert-only"
    assert made["interfaces"][0]["port"] is None


def test_the_group_defaults_to_the_callers_topmost(make_user: Callable[..., Caller], north: int) -> None:
    northerner = make_user("chief-of-the-north", "administrator", north)
    assert northerner.post("components/", {"name": "northern"})["group"] == north


@pytest.mark.parametrize("given", ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"])
def test_a_uuid_that_identifies_nothing_is_refused(admin: Caller, given: str) -> None:
    assert admin.errors("POST", "components/", {"name": "bad board", "uuid": given}) == {"uuid"}


def test_an_equal_uuid_serial_or_way_of_managing_is_a_conflict_naming_the_other(admin: Caller) -> None:
    address, identity = unused_address(), str(uuid.uuid4())
    interface = way(address, port=2161)
    body = {"name": "the first one", "uuid": identity, "serial_number": "SN-4711", "interfaces": [interface]}
    first = admin.post("components/", body)
    assert first["uuid"] == identity
    count = admin.get("components/")["count"]
    for same in (
        {"uuid": identity},
        {"uuid": identity.upper()},
        {"serial_number": "SN-4711"},
        {"interfaces": [interface]},
    ):
        refused = admin.post("components/", {"name": "another", **same}, status=409)
        assert "the first one" in refused["detail"]
    assert admin.get("components/")["count"] == count
    other = admin.post("components/", {"name": "another port", "interfaces": [way(address, port=2162)]})
    refused = admin.patch(f"components/{other['id']}/", {"serial_number": "SN-4711"}, status=409)
    assert "the first one" in refused["detail"]
    assert admin.get(f"components/{other['id']}/") == other


def test_patched_interfaces_are_the_full_new_set(admin: Caller, login: int) -> None:
    kept, gone = unused_address(), unused_address()
    made = admin.post("components/", {"name": "reshaped", "alias": "a", "interfaces": [way(kept), way(gone)]})
    path = f"components/{made['id']}/"
    first, second = made["interfaces"]

    untouched = admin.patch(path, {"alias": "b"})
    assert untouched["interfaces"] == made["interfaces"]
    assert (untouched["alias"], untouched["name"]) == ("b", "reshaped")

    added = unused_address()
    changed = admin.patch(path, {"interfaces": [{"id": first["id"], "credential": login}, way(added)]})["interfaces"]
    assert [one["address"] for one in changed] == [kept, added]
    assert changed[0] == {**first, "credential": login}
    assert changed[1]["id"] not in {first["id"], second["id"]}

    assert admin.errors("PATCH", path, {"interfaces": [{"id": second["id"]}]}) == {"interfaces"}
    assert admin.get(path)["interfaces"] == changed
    assert admin.patch(path, {"interfaces": []})["interfaces"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x" * 100_000}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "x", "category": "toaster"}, "category"),
        ({"name": "x", "group": 987654}, "group"),
        ({"name": "x", "group": "one"}, "group"),
        ({"name": "x", "parent": 987654}, "parent"),
        ({"name": "x", "uuid": "no"}, "uuid"),
        ({"name": "x", "alert_addresses": ["not an address"]}, "alert_addresses"),
        ({"name": "x", "alert_addresses": "127.0.0.1"}, "alert_addresses"),
        ({"name": "x", "interfaces": {}}, "interfaces"),
        ({"name": "x", "interfaces": [{"driver": "snmp_agent"}]}, "interfaces"),
        ({"name": "x", "interfaces": [{"driver": "telepathy", "address": "203.0.113.250"}]}, "interfaces"),
        ({"name": "x", "interfaces": [way("203.0.113.250", port=0)]}, "interfaces"),
        ({"name": "x", "interfaces": [way("203.0.113.250", port=65536)]}, "interfaces"),
        ({"name": "x", "interfaces": [way("203.0.113.250", credential=987654)]}, "interfaces"),
        ({"name": "x", "interfaces": [way("203.0.113.250", parameters={"unheard": 1})]}, "interfaces"),
        ({"name": "x", "unheard_of": 1}, "unheard_of"),
    ],
)
def test_each_bad_value_is_a_400_naming_its_field(admin: Caller, body: Any, field: str) -> None:
    count = admin.get("components/")["count"]
    assert admin.errors("POST", "components/", body) == {field}
    assert admin.get("components/")["count"] == count


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"[" * 5000])
def test_what_is_no_object_is_a_400(admin: Caller, raw: bytes) -> None:
    assert admin.send("POST", "components/", raw=raw).status == 400


def test_a_stale_version_changes_nothing(admin: Caller) -> None:
    made = admin.post("components/", {"name": "versioned"})
    path = f"components/{made['id']}/"
    version = admin.send("GET", path).headers["etag"]
    assert admin.patch(path, {"alias": "one"}, If_Match=version)["alias"] == "one"
    admin.patch(path, {"alias": "two"}, status=412, If_Match=version)
    admin.delete(path, status=412, If_Match=version)
    assert admin.get(path)["alias"] == "one"
    assert admin.patch(path, {"alias": "three"})["alias"] == "three"  # the header is optional
    admin.delete(path, If_Match=admin.send("GET", path).headers["etag"])
    admin.get(path, status=404)
    admin.delete(path, status=404)


def test_lists_are_paged_searched_and_filtered_by_the_names_of_the_fields(admin: Caller, root: int) -> None:
    group = admin.post("groups/", {"name": "Paged", "parent": root})["id"]
    for number in range(7):
        admin.post("components/", {"name": f"paged {number}", "alias": f"odd{number % 2}", "group": group})
    mine = f"components/?group={group}"
    page = admin.get(f"{mine}&limit=3")
    assert set(page) == ENVELOPE
    assert (page["count"], len(page["results"]), page["previous"]) == (7, 3, None)
    seen = [row["id"] for row in page["results"]]
    while page["next"]:
        address = page["next"].removeprefix(admin.url)
        page = admin.get(address)
        assert page["previous"]
        seen += [row["id"] for row in page["results"]]
    assert len(seen) == len(set(seen)) == 7
    assert len(admin.get(mine)["results"]) == 7
    assert len(admin.get(f"{mine}&limit=1000")["results"]) == 7
    for wrong in ("limit=0", "limit=1001", "limit=-1", "limit=x", "page=0", "page=-1", "page=x", "page=1.5"):
        assert admin.errors("GET", f"{mine}&{wrong}", None) == {wrong.split("=")[0]}
    assert [row["name"] for row in admin.rows(f"{mine}&q=paged%204")] == ["paged 4"]
    assert len(admin.rows(f"{mine}&q=ODD1")) == 3
    assert admin.rows(f"{mine}&q=nothing-is-called-so") == []
    assert len(admin.rows(f"{mine}&alias=odd0")) == 4
    assert len(admin.rows(f"{mine}&status=unknown&category=server&suspended=false")) == 7
    assert admin.rows(f"{mine}&status=critical") == []
    for wrong in ("status=broken", "category=toaster", "uuid=x", "parent=x"):
        assert admin.errors("GET", f"components/?{wrong}", None) == {wrong.split("=")[0]}


class TestCredentials:
    """Logins, whose contents are written and never read."""

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("snmp-community", {"version": "1", "community": "secret-word-1"}),
            ("snmp-community", {"version": "2c", "community": "secret-word-2"}),
            ("snmp-v3", {"username": "u", "auth_protocol": "none", "priv_protocol": "none"}),
            *(
                (
                    "snmp-v3",
                    {
                        "username": "u",
                        "auth_protocol": auth,
                        "auth_password": "secret-word-3",
                        "priv_protocol": priv,
                        "priv_password": "secret-word-4",
                        "context": "c",
                    },
                )
                for auth, priv in [
                    ("MD5", "DES"),
                    ("SHA", "3DES"),
                    ("SHA-224", "AES-128"),
                    ("SHA-256", "AES-192"),
                    ("SHA-384", "AES-256"),
                    ("SHA-512", "AES-256"),
                ]
            ),
            ("password", {"username": "u", "password": "secret-word-5"}),
        ],
    )
    def test_each_kind_is_kept_and_never_given_back(self, admin: Caller, root: int, kind: str, fields: Any) -> None:
        name = f"{kind} {sorted(fields.items())}"[:80]
        made = admin.send("POST", "credentials/", {"name": name, "kind": kind, "fields": fields})
        assert made.status == 201, made.body
        assert made.body == {"id": made.body["id"], "name": name, "kind": kind, "group": root}
        path = f"credentials/{made.body['id']}/"
        assert admin.get(path) == made.body
        changed = admin.patch(path, {"fields": {**fields, "username": "v"} if "username" in fields else fields})
        assert changed == made.body
        admin.delete(path)
        admin.get(path, status=404)

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("snmp-community", {"version": "3", "community": "c"}),
            ("snmp-community", {"community": 7}),
            ("snmp-community", []),
            ("snmp-v3", {"username": "u", "auth_protocol": "SHA-3", "auth_password": "a-long-password"}),
            ("snmp-v3", {"auth_protocol": "none", "priv_protocol": "none"}),
            ("snmp-v3", {"username": "u", "auth_protocol": "SHA"}),
            ("snmp-v3", {"username": "u", "auth_protocol": "none", "priv_protocol": "AES-128", "priv_password": "p"}),
            ("password", {"username": "u", "password": "p", "unheard_of": "x"}),
            ("ssh-key", {"username": "u", "private_key": "this is no key"}),
        ],
    )
    def test_bad_contents_are_refused_under_fields(self, admin: Caller, kind: str, fields: Any) -> None:
        names = admin.errors("POST", "credentials/", {"name": "bad", "kind": kind, "fields": fields})
        assert names
        assert all(name == "fields" or name.startswith("fields.") for name in names)

    def test_one_that_is_used_is_not_removed_and_says_by_whom(self, admin: Caller) -> None:
        fields = {"version": "2c", "community": "public"}
        used = admin.post("credentials/", {"name": "in use", "kind": "snmp-community", "fields": fields})
        admin.post("components/", {"name": "its user", "interfaces": [way(credential=used["id"])]})
        assert "its user" in admin.delete(f"credentials/{used['id']}/", status=409)["detail"]
        version = admin.send("GET", f"credentials/{used['id']}/").headers["etag"]
        admin.patch(f"credentials/{used['id']}/", {"name": "renamed"}, If_Match=version)
        admin.patch(f"credentials/{used['id']}/", {"name": "again"}, status=412, If_Match=version)

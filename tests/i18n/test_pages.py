"""Every page of a small fleet, read in Japanese: nothing that has a Japanese form is left in English."""

import re
import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import polib
import pytest
from django.contrib import admin
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.access.models import AllowedAddress, Role
from apps.access.services import tokens
from apps.accounts.models import Directory, LockOut, Team, User
from apps.accounts.services.directories import configuring, faults, mapping
from apps.alerts.models import AlertDefinition, EventSubscription, Farewell
from apps.alerts.services import Arrival, catalogue, ingest
from apps.components import credential_kinds
from apps.components.models import Component
from apps.components.services import checks, registration
from apps.control.models import RemoteBatch, RemoteBatchRun
from apps.control.pages.choices import CHOICES
from apps.control.services import batch_runs
from apps.core.actors import Actor, ActorKind
from apps.core.classic import ScopedAdmin
from apps.core.models import AuditEntry
from apps.core.phrases import Phrase
from apps.drivers.contract import Quantity
from apps.monitoring import layouts
from apps.monitoring.models import InventoryChange, Liveness, LoggedEntry, Sensor
from apps.monitoring.services import inventory, polling
from apps.protocols.snmp.receiving import LEVELS
from apps.system import extraction
from tests.factories import (
    make_component,
    make_credential,
    make_group,
    make_interface,
    make_remote_batch,
    make_suspend_period,
    make_user,
    ship_definitions,
)
from tests.i18n.visible_text import left_in_english
from tests.routes import ACTS, BEFORE_SIGN_IN, routes
from tests.routes import DATA as FILES

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SILENT = {"alerts:alert-news", "alerts:incident-news"}  # without news they say nothing
TABS = (
    "overview", "sensors", "ports", "storage", "statistics", "inventory", "inventory-changes", "event-log", "alerts",
    "events", "history", "settings",
)  # fmt: skip
# What devices and people of this fleet are called.
DATA = (
    "Administrator", "anna", "ben", "web-01", "db-01", "silent-01", "bare-01", "bmc-01", "Tokyo",
    "shared login", "spare login",
    "OFFICE", "ldap.example.test", "dc=example,dc=test", "LDAP", "Active Directory",
    "night shift", "Night work", "Fake CPU", "Sensor 1", "Fan 2", "fake", "lower critical going low",
    "lower critical going high",
    *LEVELS,  # SNMP's own words
    "built-in, relay",  # values of an option
    *(name.replace("_", " ") for name in zoneinfo.available_timezones()),
    *re.findall(r'<symbol id="([\w-]+)"', (extraction.ROOT / "static/vendor/icons.svg").read_text(encoding="utf-8")),
)  # fmt: skip


def a_directory(actor: Actor) -> Directory:
    """Make a directory that did not answer, with a group that holds nothing."""
    fields = {"name": "OFFICE", "servers": ["ldap.example.test"], "search_base": "dc=example,dc=test"}
    made = configuring.create(fields, actor)
    mapping.add(made, "cn=night shift,dc=example,dc=test", actor)
    Directory.objects.filter(pk=made.pk).update(fault=Phrase(faults.BIND_REFUSED))
    return made


def a_batch(component: Component, owner: User) -> RemoteBatch:
    """Make a batch that was missed, refused and begun."""
    batch = make_remote_batch(component, name="Night work", owner=owner, owner_name="anna", make_up=30, at_most=3)
    told = {"missed": batch_runs.AWAY, "refused": Phrase(batch_runs.OWNER_GONE, {"user": "ben"}), "made_up": Phrase()}
    for number, (state, why) in enumerate(told.items()):
        at = timezone.now() - timedelta(days=number)
        RemoteBatchRun.objects.create(batch=batch, planned_at=at, state=state, message=why, actor_name="anna")
    return batch


@pytest.fixture
def fleet(settings) -> Iterator[dict[str, Any]]:
    """Give a fleet with something of everything, by what the parameters of addresses are called."""
    settings.HIDDEN_DRIVERS_OFFERED = True
    cache.clear()
    layouts.forget()
    ship_definitions()
    anna = make_user("administrator", username="anna", language="ja", is_staff=True)
    actor = Actor(ActorKind.USER, anna.username, anna, "127.0.0.1")
    tokyo = make_group("Tokyo")
    login = make_credential("password", tokyo, name="shared login")
    rows = [
        make_interface(
            make_component(name, tokyo), polled=False, driver="fake", credential=login, parameters=about, state=state
        )
        for name, about, state in (
            ("web-01", {"script": "ailing", "sensors": 1}, {}),
            ("db-01", {"script": "filling", "sensors": 0}, {"contact": 15}),
            ("silent-01", {"fault": "refusing"}, {}),
        )
    ]
    make_component("bare-01", tokyo)
    controller = make_interface(
        make_component("bmc-01", tokyo), polled=False, driver="ilo", address="127.0.0.1", port=9, credential=login
    )
    EventSubscription.objects.create(
        interface=controller, state="active", context="x", tests=True, since=timezone.now(), others=["a", "b", "c"]
    )
    Farewell.objects.create(
        name="bmc-01", driver="ilo", address="192.0.2.9", uri="x", context="x", login={}, due_at=None
    )
    ids = [row.pk for row in rows]
    for _contact in range(2):
        polling.poll(ids)
    inventory.read(ids)
    job = checks.check([row.component for row in rows], actor)
    checks.run_check(job.pk)
    now = timezone.now()
    for row, lost_at in zip(rows, (None, None, now), strict=True):
        Liveness.objects.create(
            component=row.component, address=row.address, answers=lost_at is None, since=now, access_lost_at=lost_at
        )
    for change, facts in (
        ("appeared", [["Size (bytes)", None, 2**36]]),
        ("gone", []),
        ("replaced", [["Serial number", "A", "B"]]),
        ("changed", [["Firmware", None, "1.2"], ["Read-only", "true", "false"]]),
    ):
        about = {"kind": "memory", "key": "dimm.1", "name": "Drive 1", "words": "", "facts": facts}
        InventoryChange.objects.create(interface=rows[0], at=now, change=change, **about)
    alerts = [
        ingest([Arrival("snmp-trap", now, definition, component, address="192.0.2.9", trap_oid="1.3.6.1.4.1")])
        for definition, component in (
            (AlertDefinition.objects.get(key="linkDown"), rows[0].component),
            (AlertDefinition.objects.get(key="authenticationFailure"), rows[1].component),
            (AlertDefinition.objects.get(key="coldStart"), rows[1].component),
            (None, None),
        )
    ]
    make_user("viewer", username="ben")
    make_credential(group=tokyo, name="spare login")
    AllowedAddress.objects.create(network="192.0.2.0/24")
    tokens.create(anna, "night shift", actor, expires_at=now + timedelta(days=30))
    for kind, name, lasts in (("account", "ben", 1), ("account", "anna", 0), ("address", "192.0.2.9", 1)):
        until = now + timedelta(hours=lasts)
        LockOut.objects.create(kind=kind, name=name, failures=9, last_failed_at=now, locked_until=until)
    role = Role.objects.create(name="night shift", permissions=["view"])
    sensors = Sensor.objects.filter(interface=rows[0])
    registration.change(rows[0].component, {"alias": "front", "unmanaged": True}, actor)
    yield {
        "audit": AuditEntry.objects.get(action="component.change"),
        "accounts": anna,
        "access:user": anna,
        "access:token-rights": anna.api_tokens.get(),
        "access:group-rights": tokyo,
        "access:user-rights": anna,
        "access:team": Team.objects.create(name="night shift"),
        "access:directory": a_directory(actor),
        "access:role": role,
        "access:role-second-factor": role,
        "groups": tokyo,
        "components": rows[0].component,
        "components:credential": login,
        "components:certificate": controller.component,
        "interface": controller,
        "control": rows[0].component,
        "monitoring": rows[0].component,
        "sensor_pk": sensors.order_by("pk").first(),
        "entry_pk": LoggedEntry.objects.filter(interface=rows[0]).order_by("pk").first(),
        "jobs": job,
        "suspend_periods": make_suspend_period(group=tokyo, name="Night work"),
        "remote_batches": a_batch(rows[0].component, anna),
        "definitions": AlertDefinition.objects.get(key="linkDown"),
        "alerts": alerts[0][0],
        "alerts:incident": alerts[0][0].incident,
        "all components": [row.component for row in rows],
        "all alerts": [alert for (alert,) in alerts],
    }
    cache.clear()
    layouts.forget()
    catalogue.forget()


@pytest.fixture(scope="module")
def japanese() -> Mapping[str, str]:
    """Give the Japanese of every sentence that has one of its own."""
    return {
        entry.msgid: entry.msgstr for entry in polib.pofile(str(extraction.CATALOGUE)) if entry.msgstr != entry.msgid
    }


def addresses(fleet: Mapping[str, Any]) -> Iterator[str]:
    """Give the addresses of all pages, of each with one row of the fleet."""
    for name, parameters in routes():
        if name in ACTS | FILES | BEFORE_SIGN_IN or name in SILENT:
            continue
        namespace = name.partition(":")[0]
        if name in {"alerts:acknowledge", "alerts:close"}:
            yield f"{reverse(name)}?incident={fleet['alerts'].incident_id}"
            continue
        if name == "control:order":
            ids = ",".join(str(component.pk) for component in fleet["all components"])
            yield from (f"{reverse(name)}?order={order}&ids={ids}" for order in CHOICES)
            continue
        row = {"pk": fleet.get(name) or fleet.get(namespace)}
        row |= {place: fleet[place] for place in ("sensor_pk", "entry_pk", "interface")}
        if name == "monitoring:limits-of-many":
            yield reverse(name, args=[row["pk"].pk, "storage"])
            continue
        yield reverse(name, kwargs={one: row[one].pk if one in row else "auto_logout" for one in parameters})
    yield fleet["interface"].component.get_absolute_url()
    for component in fleet["all components"]:
        for tab in TABS:
            yield f"{component.get_absolute_url()}?tab={tab}"
    for alert in fleet["all alerts"]:
        yield reverse("alerts:alert", kwargs={"pk": alert.pk})
    for tab in ("open", "acknowledged", "all", "unmatched"):
        yield f"{reverse('alerts:list')}?show={tab}"
    yield f"{reverse('portal:help')}?show=limits"
    for driver in ("snmp_agent", "fake", "alert_only"):
        yield f"{reverse('components:add')}?driver={driver}"
    for kind in credential_kinds.KINDS:
        yield f"{reverse('components:credential-add')}?kind={kind}"


def findings(
    client: Client, pages: Iterator[str], japanese: Mapping[str, str], data: tuple[str, ...] = DATA
) -> tuple[list[str], int]:
    """Read the pages; give what was left in English, and how many pages were read."""
    wrong, read = [], 0
    for address in pages:
        answer = client.get(address)
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            wrong.append(f"{address}: {answer.status_code} {answer['Content-Type']}")
            continue
        read += 1
        wrong += [f"{address}: {text}" for text in left_in_english(answer.content.decode(), japanese, data)]
    return wrong, read


def test_no_page_leaves_english_to_a_japanese_administrator(client: Client, fleet, japanese):
    client.force_login(fleet["accounts"])
    wrong, read = findings(client, addresses(fleet), japanese)
    assert not wrong, "\n" + "\n".join(wrong)
    assert read > 50


def test_the_sign_in_page_speaks_the_language_of_the_browser(japanese):
    client = Client(headers={"accept-language": "ja"})
    wrong, read = findings(client, iter(["/login/", "/login/?ended=idle", "/login/?ended=old"]), japanese)
    assert (wrong, read) == ([], 3)
    refused = client.post("/login/", {"username": "nobody", "password": "wrong"})
    assert left_in_english(refused.content.decode(), japanese) == []
    assert "ユーザー名またはパスワードが正しくありません。" in refused.content.decode()


def test_classic_mode_leaves_no_english(client: Client, fleet, japanese, settings):
    settings.ROOT_URLCONF = "esm.classic_urls"
    client.force_login(fleet["accounts"])
    lists = [
        f"/{model._meta.app_label}/{model._meta.model_name}/"
        for model, page in admin.site._registry.items()
        if isinstance(page, ScopedAdmin)
    ]
    forms = [
        f"/{model._meta.app_label}/{model._meta.model_name}/{row.pk}/change/"
        for model, page in admin.site._registry.items()
        if isinstance(page, ScopedAdmin) and (row := model._default_manager.order_by("pk").first()) is not None
    ]
    assert len(forms) > 8
    stored = {text for row in AlertDefinition.objects.values() for text in row.values() if isinstance(text, str)}
    # Classic mode shows these as they are stored.
    stored |= set(Sensor.objects.values_list("name", flat=True))
    stored |= set(AuditEntry.objects.values_list("object_name", flat=True))
    data = (*DATA, *filter(None, stored), *Quantity)
    wrong, read = findings(client, iter(["/", *lists, *forms]), japanese, data)
    assert not wrong, "\n" + "\n".join(wrong)
    assert read == 1 + len(lists) + len(forms)


def test_what_forms_refuse_is_refused_in_japanese(client: Client, fleet, japanese):
    client.force_login(fleet["accounts"])
    component = fleet["components"]
    posts = (
        (reverse("components:add"), {"address-0": "not an address"}),
        (reverse("components:edit", args=[component.pk]), {"name": "x" * 300}),
        (reverse("components:credential-add") + "?kind=snmp-v3", {"name": "", "group": "999999"}),
        (reverse("access:user-new"), {"username": "ben", "password": "short"}),
        (reverse("access:addresses"), {"network": "everywhere"}),
        (reverse("access:tokens"), {"name": "", "days": "-1"}),
        (reverse("groups:add"), {"name": "Tokyo", "parent": "999999"}),
        (reverse("accounts:preferences"), {"language": "xx", "time_zone": "Nowhere/There"}),
        (reverse("accounts:password"), {"old": "wrong", "new": "short", "again": "other"}),
        (reverse("monitoring:limits", args=[component.pk, fleet["sensor_pk"].pk]), {"upper_warning": "high"}),
        (reverse("monitoring:limits-of-many", args=[component.pk, "storage"]), {"upper_warning": "high"}),
    )
    data = (*DATA, "not an address", "everywhere", "Nowhere/There")
    for address, sent in posts:
        answer = client.post(address, sent)
        assert answer.status_code in {200, 400}, address
        page = answer.content.decode()
        assert "aria-invalid" in page or "errorlist" in page or 'role="alert"' in page, address
        assert left_in_english(page, japanese, data) == [], address

"""Every page of classic mode, asked by everybody: nothing foreign is told, nothing is changed without the word for it.

What is registered with the admin is walked over as it is, so that a new page is held to it from its first day.
"""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.utils import timezone

from apps.access.models import AllowedAddress, Grant, Role
from apps.access.services import tokens
from apps.accounts.models import LockOut, Session, Team, TotpDevice
from apps.alerts.models import AlertDefinition
from apps.alerts.services import Arrival, catalogue, ingest
from apps.components.models import Component, ManagementInterface
from apps.core import audit, options
from apps.core.actors import SYSTEM
from apps.core.classic import ScopedAdmin
from apps.core.models import AuditEntry, Job, JobState, JobStep, OptionValue
from apps.core.phrases import Phrase
from apps.monitoring import layouts
from apps.monitoring.models import ExcludedPort, Limit, Liveness
from apps.monitoring.services import polling
from apps.system.models import CertificateRequest
from tests.factories import (
    make_component,
    make_credential,
    make_group,
    make_interface,
    make_suspend_period,
    make_user,
    ship_definitions,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.urls("esm.classic_urls")]
OURS, THEIRS = "zq-amber", "zq-violet"
REFUSED = {302, 400, 403, 404}


@pytest.fixture(autouse=True)
def _fresh_memory_of_rows():
    """Have this process forget what it remembers of rows of another test."""
    layouts.forget()
    catalogue.forget()
    yield
    layouts.forget()
    catalogue.forget()


@pytest.fixture
def portal() -> dict[str, Client]:
    """Two halves that must not see each other, what belongs to the whole, and everybody who asks."""
    ship_definitions()
    ours, theirs = half(OURS), half(THEIRS)
    of_the_whole()
    found = {}
    for asker, role, group in (
        ("viewer", "viewer", ours),
        ("stranger", "operator", theirs),
        ("operator", "operator", ours),
        ("chief", "administrator", ours),
        ("administrator", "administrator", None),
    ):
        found[asker] = Client()
        found[asker].force_login(make_user(role, group, username=asker, is_staff=True))
    return found


def half(word: str):
    group = make_group(word)
    component = make_component(f"{word} server", group)
    login = make_credential("password", group, name=f"{word} login")
    about = {"driver": "fake", "credential": login, "address": f"{word}.example.com", "parameters": {"sensors": 2}}
    interface = make_interface(component, **about)
    polling.poll([interface.pk])
    now = timezone.now()
    Liveness.objects.create(component=component, address=interface.address, answers=True, since=now)
    Limit.objects.create(interface=interface, key="storage.1", upper_warning=10.0)
    ExcludedPort.objects.create(component=component, mac_address="02:00:00:00:00:01", port_name=f"{word} port")
    make_suspend_period(component, name=f"{word} pause")
    ingest([Arrival("snmp-trap", now, AlertDefinition.objects.get(key="linkDown"), component)])
    job = Job.objects.create(kind="check", title=Phrase(f"{word} job"), created_by_name="x", state=JobState.WAITING)
    JobStep.objects.create(job=job, target=f"{word} server", component=component.pk, group=group.pk)
    audit.record(SYSTEM, "component.change", component, after={"location": f"{word} rack"})
    return group


def of_the_whole() -> None:
    user = make_user("viewer", username="zq-somebody")
    team = Team.objects.create(name="zq-team")
    role = Role.objects.create(name="zq-role", permissions=["view"])
    Grant.objects.create(team=team, role=role, group=make_group("zq-third"))
    AllowedAddress.objects.create(network="192.0.2.0/24")
    tokens.create(user, "zq-token", SYSTEM)
    now = timezone.now()
    LockOut.objects.create(kind="account", name="zq-name", last_failed_at=now, locked_until=now + timedelta(hours=1))
    TotpDevice.objects.create(user=user, name="TOTP", confirmed=True, secret="JBSWY3DPEHPK3PXP")
    Session.objects.create(session_key="k" * 32, session_data="", expire_date=now + timedelta(hours=1), user=user)
    CertificateRequest.objects.create(pem="zq-request", key={"pem": "zq-private"}, subject="zq.example.com")
    options.set_value("auto_logout", 20, SYSTEM)


def pages() -> list[tuple[str, type[models.Model], ScopedAdmin]]:
    found = []
    for model, page in admin.site._registry.items():
        if isinstance(page, ScopedAdmin):
            found.append((f"/{model._meta.app_label}/{model._meta.model_name}", model, page))
    return found


def state_of(model: type[models.Model]) -> list[str]:
    """Give all rows of a model, without what merely says that somebody was there."""
    columns = [one.attname for one in model._meta.concrete_fields if one.attname not in {"last_login", "active_at"}]
    rows = model._base_manager.order_by("pk")
    if model is AuditEntry:
        rows = rows.exclude(outcome="refused")
    elif model is Session:
        rows = rows.filter(session_key="k" * 32)
    return [repr(row) for row in rows.values_list(*columns)]


def state() -> dict[str, list[str]]:
    return {model._meta.label: state_of(model) for _base, model, _page in pages()}


def test_only_pages_that_go_through_services_are_there():
    assert [model for model, page in admin.site._registry.items() if not isinstance(page, ScopedAdmin)] == []
    for _base, model, page in pages():
        assert type(page).save_model is ScopedAdmin.save_model, model
        assert type(page).delete_model is ScopedAdmin.delete_model, model
        assert type(page).delete_queryset is ScopedAdmin.delete_queryset, model
        assert [name for name in page.actions or ()] == [], model  # an action of its own needs a proof of its own
        assert page.list_editable == (), model


def forged(client: Client, base: str, row: models.Model) -> list[tuple[str, int]]:
    """Try everything on one row that classic mode could be asked for."""
    one = f"{base}/{row.pk}"
    boxes = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    asked = [
        (f"{one}/change/", {"name": "zq-forged", "_save": "1"}),
        (f"{one}/change/?_popup=1", {"name": "zq-forged", "_popup": "1"}),
        (f"{one}/change/?_to_field=id", {"name": "zq-forged", "_saveasnew": "1"}),
        (f"{one}/delete/", {"post": "yes"}),
        (f"{base}/add/?_popup=1", {"name": "zq-forged", "_popup": "1"}),
        (f"{base}/", boxes),
        (f"{base}/?id__exact={row.pk}", {**boxes, "select_across": "1"}),
    ]
    return [(path, client.post(path, sent).status_code) for path, sent in asked]


@pytest.mark.parametrize("asker", ["viewer", "stranger"])
def test_nothing_is_changed_by_who_may_not(portal, asker):
    """A viewer tries everything on all rows; an operator of another half on those of ours, and of the whole."""
    client, before = portal[asker], state()
    for base, model, _page in pages():
        rows = list(model._base_manager.order_by("pk")[:2] if model is AlertDefinition else model._base_manager.all())
        for row in rows:
            if asker == "stranger" and THEIRS in described(row):
                continue
            forged(client, base, row)
        assert state_of(model) == before[model._meta.label], model
    assert state() == before


def described(row: models.Model) -> str:
    """Give the words of a row and of what it hangs on."""
    words = [str(row)]
    for name in ("component", "group", "interface", "title", "object_name", "address"):
        value = getattr(row, name, None)
        words.append(str(value))
        words.append(str(getattr(value, "component", "")))
    return " ".join(words)


@pytest.mark.parametrize(("asker", "hidden"), [("chief", THEIRS), ("stranger", OURS)])
def test_nothing_foreign_is_told(portal, asker, hidden):
    client = portal[asker]
    told = []
    for base, model, _page in pages():
        looks = [
            f"{base}/",
            f"{base}/add/",
            f"{base}/?q={hidden}",
            f"{base}/?_popup=1",
            f"{base}/?_to_field=id&_popup=1",
        ]
        looks += [f"{base}/?{name}__id__exact=1" for name in ("group", "component", "user")]
        for row in model._base_manager.order_by("-pk")[:6]:
            looks += [f"{base}/{row.pk}/{what}/" for what in ("change", "delete", "history")]
            if hidden in described(row):
                for what in ("change", "delete", "history"):
                    status = client.get(f"{base}/{row.pk}/{what}/").status_code
                    told += [f"{base}/{row.pk}/{what}/ answered {status}"] if status not in REFUSED else []
        for path in looks:
            answer = client.get(path)
            shown = (
                answer.content.decode()
                .replace(f"q={hidden}", "")
                .replace(f"q%3D{hidden}", "")
                .replace(f'value="{hidden}"', "")
            )
            told += [f"{path} names {hidden}"] if hidden in shown else []
    assert told == []


def test_choices_and_completions_offer_only_what_one_may_see(portal):
    told = []
    for _base, model, _page in pages():
        for field in model._meta.get_fields():
            if not isinstance(field, models.ForeignKey):
                continue
            about = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name}
            for asker, hidden in (("viewer", THEIRS), ("chief", THEIRS), ("stranger", OURS)):
                answer = portal[asker].get("/autocomplete/", {**about, "term": ""})
                assert answer.status_code in {200, 403, 404}, about
                told += [about] if hidden in answer.content.decode() else []
    assert told == []


@pytest.mark.parametrize("field", ["password", "name", "secret", "digest"])
def test_rows_are_not_found_by_what_is_not_their_number(portal, field):
    for base, model, _page in pages():
        row = model._base_manager.first()
        if row is None or model._meta.pk.name == field or model is OptionValue:  # options go by their name alone
            continue
        answer = portal["administrator"].get(f"{base}/{row.pk}/change/?_to_field={field}")
        assert answer.status_code in {302, 400, 404}, base


def test_what_no_page_shows_is_not_guessed_by_filters_either(portal):
    for path in (
        "/accounts/user/?password__startswith=a",
        "/access/apitoken/?digest__startswith=a",
        "/accounts/totpdevice/?secret__startswith=a",
        "/access/grant/?user__password__startswith=a",
        "/system/certificaterequest/?key__contains=a",
    ):
        assert portal["administrator"].get(path).status_code in {302, 400}, path
    for base, model, _page in pages():
        page = portal["administrator"].get(f"{base}/").content.decode()
        for row in model._base_manager.all()[:3]:
            change = portal["administrator"].get(f"{base}/{row.pk}/change/")
            page += change.content.decode() if change.status_code == 200 else ""
        for secret in ("zq-private", "JBSWY3DPEHPK3PXP", "s3cret-word"):
            assert secret not in page, base


HIDDEN_COLUMNS = {
    "core.Job": {"arguments", "created_by"},
    "core.AuditEntry": {"form", "digest"},
    "accounts.Directory": {"bind_password", "changed_at", "asked_at"},
    "accounts.DirectoryGroup": {"key"},
    "accounts.User": {
        *("password", "is_superuser", "is_staff", "date_joined", "name_key", "language", "time_zone", "theme"),
        *("start_page", "password_changed_at", "directory", "entry_id", "entry_dn", "entry_seen_at", "barred"),
        "remembered",
    },
    "accounts.Session": {"session_key", "session_data", "expire_date", "agent"},
    "accounts.LockOut": {"browser", "refused", "refusal_told_at"},
    "accounts.TotpDevice": {"name", "secret", "last_step"},
    "access.ApiToken": {"digest"},
    "components.ManagementInterface": {
        *("last_answer_at", "last_error", "last_error_code", "failures", "next_poll_at", "next_inventory_at"),
        *("refused_version", "refused_at", "state", "identity", "kept_apart", "power_actions"),
        "stands_for",
    },
    "components.Component": {
        *("operating_system", "location", "status_since", "suspended", "suspended_until", "suspension", "up_since"),
        *("created_at", "cpu", "memory", "disk", "temperature", "power", "power_state", "power_seen_at"),
        *("power_since", "restart_cause"),
    },
    "components.Credential": {"latched_version", "proven_at"},
    "components.SuspendPeriod": {"cut", "created_by", "created_by_name", "created_at"},
    "control.RemoteBatch": {"cut", "length", "owner", "paused_by_name", "created_at", "limited_by", "token"},
    "alerts.Alert": {"datagram", "digest"},
    "alerts.EventSubscription": {"certificate", "context", "next_hash", "token_hash"},
    "alerts.Farewell": {"context", "login"},
    "alerts.Incident": {"place", "acknowledged_by", "closed_by", "held"},
    "alerts.AlertDefinition": {"origin", "made", "changed_at"},
    "monitoring.InventoryChange": {"facts"},
    "monitoring.LogPlace": {"way", "place", "looks", "filled", "wraps", "asked_at", "read_at"},
    "monitoring.LoggedEntry": {"placed_at"},
    "system.Certificate": {"key", "warned_days"},
    "system.CertificateRequest": {"key"},
}


def test_a_list_is_filtered_by_columns_that_its_pages_show_and_by_no_other(portal):
    """Every column of every model: what is not shown is not asked after letter by letter."""
    client = portal["administrator"]
    request = client.get("/core/job/").wsgi_request
    hidden = {}
    for _base, model, page in pages():
        columns = {one.name for one in model._meta.concrete_fields}
        open_to_all = {one for one in columns if page.lookup_allowed(f"{one}__startswith", "a", request)}
        hidden[model._meta.label] = columns - open_to_all
    assert {label: columns for label, columns in hidden.items() if columns} == HIDDEN_COLUMNS
    for path in (
        "/accounts/session/?session_key__startswith=kkkk",
        "/accounts/session/?session_data__startswith=a",
        "/core/job/?arguments__contains=a",
        "/alerts/alert/?datagram__gt=a",
        "/accounts/user/?entry_id__startswith=a",
        "/accounts/totpdevice/?last_step__gt=1",
        "/accounts/user/?session__session_key__startswith=a",
        "/accounts/user/?sessions__isnull=0",
        "/access/apitoken/?user__sessions__session_key__startswith=a",
    ):
        assert client.get(path).status_code in {302, 400}, path
    assert client.get("/accounts/session/?address__startswith=192.0.2.").status_code == 200
    assert client.get("/components/component/?pk__in=1,2").status_code == 200


def test_every_removal_is_done_by_the_service_and_audited(portal):
    """What an administrator ticks and deletes: each row leaves by its service, which writes it down or refuses."""
    client, wrong = portal["administrator"], []
    for base, model, page in pages():
        others = {"session_key": "k" * 32} if model is Session else {}  # he would sign himself out
        row = model._base_manager.filter(**others).order_by("-pk").first()
        if row is None or not page.can_remove or page.change_word is None:
            continue
        last = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        boxes = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        answer = client.post(f"{base}/", boxes)
        is_gone = not model._base_manager.filter(pk=row.pk).exists()
        written = AuditEntry.objects.filter(pk__gt=last, outcome="success", actor_name="administrator").exists()
        if is_gone != written:
            wrong.append((base, answer.status_code, is_gone, written))
    assert wrong == []
    for model in (LockOut, TotpDevice, ExcludedPort, CertificateRequest):
        assert not model.objects.exists(), model


def test_the_history_of_every_row_is_the_audits(portal):
    client = portal["administrator"]
    for base, model, _page in pages():
        row = model._base_manager.first()
        if row is None:
            continue
        answer = client.get(f"{base}/{row.pk}/history/")
        assert answer.status_code == 302, base
        about = f"object_type={model._meta.label_lower}&object_id="
        assert answer["Location"].startswith(f"/core/auditentry/?{about}"), base
    options.set_value("session_hours", 8, SYSTEM)
    page = client.get(client.get("/core/optionvalue/session_hours/history/")["Location"]).content.decode()
    assert "Option set" in page
    assert "session_hours" in page


def test_a_connection_is_added_changed_and_taken_away_by_its_component(portal):
    client, base = portal["administrator"], "/components/managementinterface"
    component = Component.objects.get(name=f"{OURS} server")
    login = make_credential("snmp-community", component.group).pk
    # The form knows no made-up driver.
    component.interfaces.update(driver="snmp_agent", credential=login, parameters={})
    sent = {
        "credential": login,
        "component": component.pk,
        "driver": "snmp_agent",
        "address": "fresh.example.com",
        "port": "",
        "parameters": "{}",
    }
    refused = {**sent, "address": "not an address"}
    assert portal["chief"].post(f"{base}/add/", {**sent, "component": foreign().pk}).status_code == 200
    client.post(f"{base}/add/", refused)
    assert not ManagementInterface.objects.filter(address__in=["not an address", "fresh.example.com"]).exists()
    client.post(f"{base}/add/", {**sent, "enabled": "on"})
    made = ManagementInterface.objects.get(address="fresh.example.com")
    assert component.interfaces.count() == 2
    client.post(
        f"{base}/{made.pk}/change/",
        {"address": "other.example.com", "credential": login, "port": "", "parameters": "{}"},
    )
    made.refresh_from_db()
    assert (made.address, made.enabled, made.component) == ("other.example.com", False, component)
    client.post(f"{base}/{made.pk}/delete/", {"post": "yes"})
    assert component.interfaces.count() == 1
    acts = AuditEntry.objects.filter(action="component.change", actor_name="administrator", outcome="success")
    assert acts.count() == 3


def foreign() -> Component:
    return Component.objects.get(name=f"{THEIRS} server")


def test_ports_are_excluded_only_where_one_may(portal):
    sent = {"mac_address": "02:00:00:00:00:02", "port_name": ""}
    for asker, component, made in (("chief", foreign(), 0), ("administrator", foreign(), 1)):
        portal[asker].post("/monitoring/excludedport/add/", {**sent, "component": component.pk})
        assert ExcludedPort.objects.filter(mac_address="02:00:00:00:00:02").count() == made
    answer = portal["administrator"].post(
        "/monitoring/excludedport/add/", {**sent, "mac_address": "zz", "component": foreign().pk}, follow=True
    )
    assert "This is no MAC address." in answer.content.decode()


def test_an_option_is_set_back_in_classic_mode(portal):
    client = portal["administrator"]
    client.post("/core/optionvalue/auto_logout/change/", {"value": "20", "_reset": "1"})
    assert not OptionValue.objects.filter(name="auto_logout").exists()
    assert AuditEntry.objects.filter(action="option.reset", object_id="auto_logout").exists()
    assert portal["viewer"].post("/core/optionvalue/auto_logout/change/", {"value": "5"}).status_code == 403
    assert options.get("auto_logout") == 30


def test_the_index_has_sections_by_subject_and_only_what_one_may_open(portal):
    def sections(asker: str) -> list[str]:
        page = portal[asker].get("/").content.decode()
        return re.findall(r'<h2 id="section-\d+">([^<]+)</h2>', page)

    assert sections("administrator") == ["Users and access", "Devices", "Monitoring", "Alerts", "The portal itself"]
    assert sections("viewer") == ["Devices", "Monitoring", "Alerts", "The portal itself"]
    page = portal["viewer"].get("/").content.decode()
    assert "/core/optionvalue/" not in page
    listed = set(re.findall(r'href="(/\w+/\w+/)"', portal["administrator"].get("/").content.decode()))
    assert {f"{base}/" for base, _model, _page in pages()} <= listed
    assert portal["administrator"].get("/r/1/1/").status_code == 404

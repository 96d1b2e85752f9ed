"""The list of alerts as a file: the guide's columns, the reader's language and zone, only what he may see."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.alerts import export
from apps.alerts.listing import walking
from apps.alerts.models import Alert, AlertDefinition
from apps.alerts.services import Arrival, ingest
from apps.components.models import Component
from apps.core.actors import SYSTEM
from apps.core.csv_file import MARK, ROWS_AT_ONCE
from apps.core.models import AuditEntry
from tests.factories import make_component, make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]

PAGE, API = "/alerts/export/", "/api/v1/alerts/export/"
AT = datetime(2026, 3, 1, 23, 30, 5, tzinfo=UTC)  # the next morning in Tokyo


def arrive(key: str | None, component: Component | None = None, **more: Any) -> Alert:
    definition = AlertDefinition.objects.get(key=key) if key else None
    about = {"received_at": timezone.now(), **more}
    (alert,) = ingest([Arrival("snmp-trap", definition=definition, component=component, **about)])
    return alert


def signed_in(**about: Any) -> Client:
    client = Client(REMOTE_ADDR="127.0.0.1")
    client.force_login(make_user("operator", **about))
    return client


def lines_of(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith(MARK)
    return list(csv.reader(StringIO(text.removeprefix(MARK))))


def ids_of(answer: Any) -> list[int]:
    return [row["id"] for row in json.loads(b"".join(answer.streaming_content))]


@pytest.fixture
def down() -> Alert:
    return arrive(
        "linkDown",
        make_component("web-01"),
        address="192.0.2.1",
        object="3",
        params={"object": "eth0"},
        received_at=AT,
        occurred_at=AT - timedelta(minutes=1),
        version="2c",
        trap_oid="1.3.6.1.6.3.1.1.5.3",
        product="UNIVERGE QX-S1008GT",
        request_id=5,
        bindings=({"oid": "1.3.6.1.2.1.2.2.1.1.3", "type": "Integer", "value": "3"},),
        datagram=b"\x30\x02",
    )


def test_a_table_has_the_columns_of_the_guide_and_times_in_the_readers_zone(down):
    answer = signed_in(language="en", time_zone="Asia/Tokyo").get(PAGE, {"show": "all"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    today = timezone.localdate().isoformat()
    assert answer["Content-Disposition"] == f'attachment; filename="alerts-{today}.csv"'
    head, line = lines_of(answer)
    assert head == [
        *("Computer", "Product", "Date", "Time (Asia/Tokyo)", "Type", "Trap name", "Source", "ID", "Detail"),
        *("What to do", "Severity", "Title", "Occurred", "Component ID", "Address", "Trap OID"),
    ]
    assert dict(zip(head, line, strict=True)) == {
        "Computer": "web-01",
        "Product": "UNIVERGE QX-S1008GT",
        "Date": "2026-03-02",
        "Time (Asia/Tokyo)": "08:30:05",
        "Type": "SNMP Trap",
        "Trap name": "Link down",
        "Source": "SNMP trap",
        "ID": str(down.pk),
        "Detail": "The network port eth0 lost its link (linkDown).",
        "What to do": str(down.remedy),
        "Severity": "Warning",
        "Title": "Link of eth0 went down",
        "Occurred": "2026-03-02 08:29:05",
        "Component ID": str(down.component_id),
        "Address": "192.0.2.1",
        "Trap OID": "1.3.6.1.6.3.1.1.5.3",
    }


def test_the_same_in_japanese(down):
    head, line = lines_of(signed_in(language="ja", time_zone="Asia/Tokyo").get(PAGE, {"show": "all"}))
    assert head == [
        *("コンピュータ", "製品", "日付", "時刻 (Asia/Tokyo)", "種別", "トラップ名", "発生元", "ID", "詳細"),
        *("対処", "重要度", "タイトル", "発生日時", "コンポーネント ID", "アドレス", "トラップ OID"),
    ]
    assert line[:8] == [
        *("web-01", "UNIVERGE QX-S1008GT", "2026-03-02", "08:30:05", "SNMP トラップ", "リンクダウン", "SNMP トラップ"),
        str(down.pk),
    ]
    assert line[10] == "警告"
    assert "eth0" in line[11]
    assert line[11] != "Link of eth0 went down"


def test_objects_have_the_same_and_what_arrived(down):
    answer = signed_in(language="en", time_zone="Asia/Tokyo").get(PAGE, {"show": "all", "format": "json"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    (row,) = json.loads(b"".join(answer.streaming_content))
    assert row == {
        "id": down.pk,
        "computer": "web-01",
        "product": "UNIVERGE QX-S1008GT",
        "date": "2026-03-02",
        "time": "08:30:05",
        "type": "SNMP Trap",
        "trap_name": "Link down",
        "source": "SNMP trap",
        "detail": "The network port eth0 lost its link (linkDown).",
        "remedy": str(down.remedy),
        "severity": "warning",
        "title": "Link of eth0 went down",
        "received_at": "2026-03-01T23:30:05+00:00",
        "occurred_at": "2026-03-01T23:29:05+00:00",
        "component": down.component_id,
        "address": "192.0.2.1",
        "incident": down.incident_id,
        "quiet": "",
        "raw": {
            "version": "2c",
            "trap_oid": "1.3.6.1.6.3.1.1.5.3",
            "enterprise": "",
            "request_id": 5,
            "bindings": [{"oid": "1.3.6.1.2.1.2.2.1.1.3", "type": "Integer", "value": "3"}],
            "datagram": "3002",
        },
    }


def test_what_nobody_gave_is_empty_and_an_unknown_trap_is_called_by_its_number():
    arrive(None, address="192.0.2.9", trap_oid="1.3.6.1.4.1.9.9")
    client = signed_in(language="en")
    head, line = lines_of(client.get(PAGE, {"show": "unmatched"}))
    row = dict(zip(head, line, strict=True))
    assert (row["Computer"], row["Product"], row["Occurred"], row["Component ID"]) == ("", "", "", "")
    assert (row["Trap name"], row["Address"], row["Severity"]) == ("1.3.6.1.4.1.9.9", "192.0.2.9", "Unknown")
    assert json.loads(b"".join(client.get(PAGE, {"show": "open", "format": "json"}).streaming_content)) == []
    assert len(lines_of(client.get(PAGE, {"show": "open"}))) == 1


def test_no_text_of_a_sender_is_taken_for_a_formula():
    arrive("linkDown", make_component("=HYPERLINK(1)"), object="3", params={"object": "+49"}, product="@SUM(A1)")
    head, line = lines_of(signed_in(language="en").get(PAGE, {"show": "all"}))
    row = dict(zip(head, line, strict=True))
    assert (row["Computer"], row["Product"]) == ("'=HYPERLINK(1)", "'@SUM(A1)")
    assert row["Title"] == "Link of +49 went down"
    (found,) = json.loads(b"".join(signed_in().get(PAGE, {"show": "all", "format": "json"}).streaming_content))
    assert found["computer"] == "=HYPERLINK(1)"  # no program runs it here


def test_the_filters_of_the_list_hold_and_all_of_its_pages_are_there(monkeypatch):
    monkeypatch.setattr(export, "AT_ONCE", 3)
    web = make_component("web-01")
    cold = [arrive("coldStart", web).pk for _ in range(7)]
    arrive("coldStart", make_component("db-01"))
    lost = arrive("portal.access-lost", web)
    client = signed_in()
    wanted = {"show": "all", "component": web.pk, "severity": "information", "format": "json"}
    assert ids_of(client.get(PAGE, wanted)) == cold[::-1]
    # where one stands in the list is no filter
    assert ids_of(client.get(PAGE, {**wanted, "before": cold[3], "since": "2026-01-01T00:00:00Z"})) == cold[::-1]
    assert ids_of(client.get(PAGE, {"format": "json"})) == [lost.pk]  # as the list opens: open problems alone
    page = client.get("/alerts/", {"show": "all", "component": web.pk, "q": "start"}).content.decode()
    assert f"/alerts/export/?show=all&amp;component={web.pk}&amp;q=start&amp;format=csv" in page
    assert ids_of(client.get(PAGE, {"show": "all", "component": web.pk, "q": "start", "format": "json"})) == cold[::-1]


def test_what_is_in_another_group_is_in_no_file():
    ours = make_group()
    mine = arrive("linkDown", make_component(group=ours))
    arrive("linkDown", make_component(group=make_group()))
    arrive("linkDown", None, address="192.0.2.5")
    client = Client(REMOTE_ADDR="127.0.0.1")
    user = make_user("viewer", ours)
    client.force_login(user)
    program = APIClient(REMOTE_ADDR="127.0.0.1")
    program.force_authenticate(user)
    assert ids_of(client.get(PAGE, {"show": "all", "format": "json"})) == [mine.pk]
    assert len(lines_of(client.get(PAGE, {"show": "all"}))) == 2
    assert ids_of(program.get(API, {"unmatched": "all"})) == [mine.pk]
    stranger = Client(REMOTE_ADDR="127.0.0.1")
    assert stranger.get(PAGE)["Location"].startswith("/login/")
    assert APIClient(REMOTE_ADDR="127.0.0.1").get(API).status_code == 401


def test_who_took_which_list_is_audited():
    arrive("coldStart", make_component())
    client = signed_in(username="mori")
    client.get(PAGE, {"show": "all", "severity": "information", "before": "7", "format": "json"})
    entry = AuditEntry.objects.get(action="alert.export")
    assert (entry.actor_name, entry.object_name) == ("mori", "show=all&severity=information")
    assert entry.after == {"format": "json", "filter": "show=all&severity=information"}


def test_a_program_chooses_by_format_or_accept_and_is_told_what_is_wrong(down):
    arrive("coldStart", down.component)
    program = APIClient(REMOTE_ADDR="127.0.0.1")
    program.force_authenticate(make_user("viewer"))
    assert ids_of(program.get(API, {"severity": "warning"})) == [down.pk]
    assert [line[7] for line in lines_of(program.get(API, {"severity": "warning", "format": "csv"}))[1:]] == [
        str(down.pk)
    ]
    by_type = program.get(API, {"q": "eth0"}, HTTP_ACCEPT="text/csv")
    assert by_type["Content-Type"] == "text/csv; charset=utf-8"
    assert [line[7] for line in lines_of(by_type)[1:]] == [str(down.pk)]
    refused = program.get(API, {"severity": "bad", "format": "csv"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["severity"])
    assert program.get(API, {"sevrity": "warning"}).status_code == 400
    assert program.get(API, {"format": "xml"}).status_code == 404
    assert signed_in().get(PAGE, {"format": "xml"}).status_code == 404
    assert AuditEntry.objects.filter(action="alert.export").count() == 3


def test_a_million_take_no_more_memory_than_a_part(rf):
    """The file is read piece by piece, each when the reader has taken the one before."""
    asked: list[int | None] = []
    component = make_component("web-01")
    alert = Alert(pk=1, received_at=AT, source="snmp-trap", component=component, definition=None, trap_oid="1.3.6")

    def step(before: int | None, size: int) -> walking.Stretch:
        asked.append(before)
        number = before or 1_000_000
        return walking.Stretch([alert] * ROWS_AT_ONCE, number - ROWS_AT_ONCE or None)

    for kind, calls in (("csv", [1, 2]), ("json", [1, 2])):
        asked.clear()
        parts = iter(export.answer(rf.get("/"), step, kind, SYSTEM, "").streaming_content)
        assert asked == []
        for number in calls:
            assert next(parts)
            assert len(asked) == number

"""Many rows by few statements say the same on both databases."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from apps.alerts.models import Alert, Counter
from apps.components.models import Component, StatusCause
from apps.core import rows
from apps.monitoring.models import LastPorts
from tests.factories import make_component, make_interface

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 26, 12, 0, 0, 250_000, tzinfo=UTC)
HARD = 'a "quoted" \\ word\twith 日本語, 100 % and {braces}'


CAUSE = ("component_id", "interface_id", "source", "key", "status", "text", "since")


def make_counters(*names: str) -> None:
    """Make counters that stand at one."""
    rows.insert(Counter, ("name", "value", "changed_at"), [(name, 1, rows.moment(NOON)) for name in names])


def make_causes(*keys: str) -> list[int]:
    """Make causes of one component, and give their ids."""
    component = make_component()
    told = [(component.pk, None, "poll", key, "warning", "…", rows.moment(NOON)) for key in keys]
    return list(rows.add(StatusCause, CAUSE, told))


def test_what_is_inserted_is_read_again():
    component = make_component()
    told = (component.pk, None, "poll", HARD, "warning", HARD, rows.moment(NOON))
    assert rows.insert(StatusCause, CAUSE, [told]) == 1
    (cause,) = StatusCause.objects.filter(source="poll")
    assert (cause.component, cause.interface, cause.key, str(cause.text), cause.since) == (
        component,
        None,
        HARD,
        HARD,
        NOON,
    )


def test_a_time_of_another_zone_is_the_same_moment():
    japan = NOON.astimezone(timezone(timedelta(hours=9)))
    rows.insert(Counter, ("name", "value", "changed_at"), [("here", 1, rows.moment(japan))])
    assert Counter.objects.get(name="here").changed_at == NOON


def test_octets_stay_what_they_are():
    interface, packed = make_interface(), bytes(range(256))
    rows.insert(LastPorts, ("interface_id", "report", "measured_at"), [(interface.pk, packed, rows.moment(NOON))])
    assert bytes(LastPorts.objects.get().report) == packed


def test_json_is_given_as_text():
    component, kept = make_component(), [HARD, 1.5, None, {"up": True}]
    rows.update(Component, ("alert_addresses",), [(json.dumps(kept), component.pk)])
    component.refresh_from_db()
    assert component.alert_addresses == kept


def test_no_number_is_an_error_and_nothing_is_written():
    with pytest.raises((ValueError, IntegrityError)), transaction.atomic():
        rows.insert(Counter, ("name", "value", "changed_at"), [("a", float("nan"), rows.moment(NOON))])
    assert not Counter.objects.filter(name="a").exists()


def test_a_clause_of_our_own_says_what_happens_to_a_row_that_is_there():
    make_counters("a")
    again = "ON CONFLICT (name) DO UPDATE SET value = alerts_counter.value + excluded.value"
    told = [("a", 5, rows.moment(NOON)), ("b", 7, rows.moment(NOON))]
    assert rows.insert(Counter, ("name", "value", "changed_at"), told, again) == 2
    assert dict(Counter.objects.filter(name__in="ab").values_list("name", "value")) == {"a": 6, "b": 7}
    assert rows.insert(Counter, ("name", "value", "changed_at"), told, "ON CONFLICT (name) DO NOTHING") == 0


def test_added_rows_get_ascending_ids_in_their_order():
    ids = make_causes("c", "a", "b")
    assert ids == sorted(ids)
    assert list(StatusCause.objects.filter(pk__in=ids).order_by("pk").values_list("key", flat=True)) == ["c", "a", "b"]


def test_rows_are_changed_by_their_ids():
    first, second, third = make_causes("a", "b", "c")
    later = NOON + timedelta(hours=1)
    told = [("critical", rows.moment(NOON), first), ("unknown", rows.moment(later), third)]
    rows.update(StatusCause, ("status", "since"), told)
    found = StatusCause.objects.filter(pk__in=[first, second, third]).order_by("key")
    assert list(found.values_list("status", "since")) == [("critical", NOON), ("warning", NOON), ("unknown", later)]


def test_rows_are_deleted_by_what_they_hold():
    component, interface = make_component(), make_interface()
    since = rows.moment(NOON)
    rows.insert(
        StatusCause,
        CAUSE,
        [
            (component.pk, None, "poll", HARD, "warning", "", since),
            (component.pk, None, "poll", "other", "warning", "", since),
            (interface.component_id, interface.pk, "poll", HARD, "warning", "", since),
        ],
    )
    kinds = {"component_id": "bigint", "COALESCE(interface_id, 0)": "bigint", '"key"': "text"}
    wanted = [(component.pk, 0, HARD), (component.pk, 0, "not there"), (interface.component_id, 0, HARD)]
    assert rows.delete(StatusCause, kinds, wanted) == 1
    assert set(StatusCause.objects.filter(source="poll").values_list("component", "key")) == {
        (component.pk, "other"),
        (interface.component_id, HARD),
    }


def test_rows_serve_as_a_table():
    first, _second = make_causes("a", "b")
    source, parameters = rows.table("wanted", {"word": "text", "number": "bigint"}, [("a", 7), ("x", 8)])
    joined = f'{source} JOIN components_statuscause c ON c."key" = wanted.word'
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.id, wanted.number FROM {joined}", parameters)
        assert cursor.fetchall() == [(first, 7)]
        source, parameters = rows.table("wanted", {"word": "text"}, [])
        cursor.execute(f"SELECT * FROM {source}", parameters)
        assert cursor.fetchall() == []


def test_no_rows_are_no_statement(django_assert_num_queries: Any):
    with django_assert_num_queries(0):
        assert rows.insert(Counter, ("name",), []) == 0
        assert list(rows.add(Alert, ("title",), [])) == []
        rows.update(Counter, ("value",), [])
        assert rows.delete(Counter, {"name": "text"}, []) == 0

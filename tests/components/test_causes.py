"""Causes decide the status, and every change of it is kept."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.components.models import Component, Status, StatusCause, StatusChange
from apps.components.services import causes
from apps.components.services.causes import Cause
from apps.core.phrases import Phrase
from tests.factories import make_component, make_interface

pytestmark = pytest.mark.django_db

HOT = Phrase("%(sensor)s is too hot.", {"sensor": "Inlet"})


def status_of(component: Component) -> str:
    return Component.objects.get(pk=component.pk).status


def changes_of(component: Component) -> list[tuple[str, str, str]]:
    rows = StatusChange.objects.filter(component=component).order_by("pk")
    return [(row.old, row.new, str(row.text)) for row in rows]


def test_the_worst_open_cause_is_the_status_and_each_change_is_a_row():
    component = make_component()
    interface = make_interface(component)
    causes.recompute([component.pk])
    assert status_of(component) == "normal"

    warm = Cause(component.pk, "limit", "inlet", "warning", HOT, interface.pk)
    causes.put([warm])
    causes.put([Cause(component.pk, "alert", "fan", "critical", Phrase("Fan 1 failed."))])
    assert status_of(component) == "critical"
    assert causes.withdraw(component.pk, "alert", "fan") is True
    assert status_of(component) == "warning"
    assert causes.withdraw(component.pk, "limit", "inlet", interface.pk) is True
    assert status_of(component) == "normal"
    assert changes_of(component) == [
        ("unknown", "normal", ""),
        ("normal", "warning", "Inlet is too hot."),
        ("warning", "critical", "Fan 1 failed."),
        ("critical", "warning", "Inlet is too hot."),
        ("warning", "normal", ""),
    ]


def test_withdrawing_what_is_not_open_changes_nothing():
    component = make_component()
    interface = make_interface(component)
    causes.put([Cause(component.pk, "limit", "inlet", "warning", HOT, interface.pk)])
    assert causes.withdraw(component.pk, "limit", "inlet") is False
    assert causes.withdraw(component.pk, "poll", "inlet", interface.pk) is False
    assert status_of(component) == "warning"


def test_putting_again_keeps_since_until_the_status_changes():
    component = make_component()
    make_interface(component)
    causes.put([Cause(component.pk, "limit", "inlet", "warning", HOT)])
    began = timezone.now() - timedelta(hours=3)
    StatusCause.objects.filter(key="inlet").update(since=began)

    causes.put([Cause(component.pk, "limit", "inlet", "warning", Phrase("Hotter."))])
    row = StatusCause.objects.get(key="inlet")
    assert (row.since, str(row.text)) == (began, "Hotter.")

    causes.put([Cause(component.pk, "limit", "inlet", "critical", Phrase("Burning."))])
    assert StatusCause.objects.get(key="inlet").since > began
    assert StatusCause.objects.filter(key="inlet").count() == 1


def test_a_disabled_interface_does_not_count():
    component = make_component()
    make_interface(component)
    broken = make_interface(component)
    causes.put([Cause(component.pk, "poll", "fan", "critical", Phrase("Fan 1 failed."), broken.pk)])
    assert status_of(component) == "critical"
    type(broken).objects.filter(pk=broken.pk).update(enabled=False)
    causes.recompute([component.pk])
    assert status_of(component) == "normal"


def test_what_was_never_polled_is_unknown_and_says_why():
    component = make_component()
    causes.recompute([component.pk])
    assert [str(row.text) for row in component.causes.all()] == ["No management interface is enabled."]
    interface = make_interface(component, polled=False)
    causes.recompute([component.pk])
    assert [str(row.text) for row in component.causes.all()] == ["Not polled yet."]
    row = type(interface).objects.filter(pk=interface.pk)
    row.update(last_polled_at=timezone.now(), last_error_code="unreachable")
    causes.recompute([component.pk])
    assert [str(row.text) for row in component.causes.all()] == ["It has not answered yet."]
    assert status_of(component) == "unknown"
    row.update(last_answer_at=timezone.now(), last_error_code="")
    causes.recompute([component.pk])
    assert list(component.causes.all()) == []
    assert status_of(component) == "normal"
    Component.objects.filter(pk=component.pk).update(unmanaged=True)
    causes.recompute([component.pk])
    assert [str(row.text) for row in component.causes.all()] == ["Set to not managed: it is not watched."]
    assert status_of(component) == "unknown"


def test_settling_leaves_exactly_the_causes_of_this_source_on_these_interfaces():
    first, second = make_interface(), make_interface()
    one, two = first.component_id, second.component_id
    causes.put(
        [
            Cause(one, "poll", "old", "critical", Phrase("Old."), first.pk),
            Cause(one, "limit", "inlet", "warning", HOT, first.pk),
            Cause(two, "poll", "other", "critical", Phrase("Other."), second.pk),
        ]
    )
    causes.settle("poll", [first.pk], [Cause(one, "poll", "new", "unknown", Phrase("New."), first.pk)])
    assert sorted(StatusCause.objects.values_list("component", "source", "key")) == sorted(
        [(one, "limit", "inlet"), (one, "poll", "new"), (two, "poll", "other")]
    )
    assert Component.objects.get(pk=one).status == "warning"
    first.refresh_from_db()
    assert first.status == "warning"
    causes.settle("poll", [first.pk, second.pk], [])
    assert list(StatusCause.objects.values_list("source", "key")) == [("limit", "inlet")]
    assert Component.objects.get(pk=two).status == "normal"


def test_settling_many_costs_as_many_statements_as_settling_one(django_assert_max_num_queries):
    interfaces = [make_interface() for _ in range(60)]

    def found(some):
        return [Cause(i.component_id, "poll", "fan", "critical", Phrase("Fan failed."), i.pk) for i in some]

    with django_assert_max_num_queries(16):
        causes.settle("poll", [interfaces[0].pk], found(interfaces[:1]))
    with django_assert_max_num_queries(16):
        causes.settle("poll", [i.pk for i in interfaces], found(interfaces))
    assert Component.objects.filter(status="critical").count() == 60


def test_changes_made_together_are_one_change_of_status():
    component = make_component()
    interface = make_interface(component)
    causes.put([Cause(component.pk, "poll", "contact", "unknown", Phrase("Silent."), interface.pk)])
    before = len(changes_of(component))
    with causes.together():
        causes.settle("poll", [interface.pk], [])
        assert status_of(component) == "unknown"
        causes.put([Cause(component.pk, "limit", "inlet", "warning", HOT, interface.pk)])
    assert changes_of(component)[before:] == [("unknown", "warning", "Inlet is too hot.")]


def test_changes_made_together_are_undone_together():
    component = make_component()
    make_interface(component)
    causes.recompute([component.pk])
    hot = Cause(component.pk, "limit", "inlet", "warning", HOT)

    def fail() -> None:
        with causes.together():
            causes.put([hot])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not StatusCause.objects.exists()
    causes.put([hot])
    assert status_of(component) == "warning"


def test_an_interface_that_does_not_answer_is_unknown_whatever_it_said_last():
    interface = make_interface(last_error_code="unreachable")
    causes.put([Cause(interface.component_id, "limit", "inlet", "warning", HOT, interface.pk)])
    interface.refresh_from_db()
    assert interface.status == "unknown"


def test_normal_is_no_cause():
    with pytest.raises(ValueError, match="withdraw"):
        Cause(1, "poll", "fan", Status.NORMAL.value, Phrase("Well."))

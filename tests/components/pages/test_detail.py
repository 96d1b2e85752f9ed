"""The page of a component: tabs and panels by capability, values with their age, buttons by permission."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.components.models import Component, StatusChange
from apps.components.services import causes, machines
from apps.core.models import AuditEntry, Job
from apps.core.phrases import Phrase
from apps.drivers.contract import IdentityFacts
from apps.monitoring.models import LastValues, Limit, Sensor
from apps.monitoring.services import presence
from tests.factories import make_component, make_group, make_interface
from tests.statements import statements_of

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}
BUTTONS = ("check/", "refresh/", "manage/", "edit/", "remove/")


def text_of(answer) -> str:
    """Give what a page says, without its tags."""
    without = re.sub(r"<(script|style).*?</\1>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", without)).replace("\N{NO-BREAK SPACE}", " ")


def names(views) -> list[str]:
    return [view.panel.name for view in views]


def test_the_overview_shows_what_the_device_said(browser, polled):
    interface = polled("web-01")
    component = interface.component
    answer = browser.get(component.get_absolute_url())
    assert answer.status_code == 200
    assert [view.tab.name for view in answer.context["tabs"]] == [
        "overview", "sensors", "ports", "storage", "statistics", "inventory", "inventory-changes", "event-log",
        "alerts", "events", "history", "settings",
    ]  # fmt: skip
    assert names(answer.context["still"]) == ["charts"]
    assert {"sensors", "disks", "ports", "interfaces", "identity", "parts"} <= set(names(answer.context["panels"]))
    shown = text_of(answer)
    assert "web-01" in shown
    assert "Normal" in shown
    assert "Fake device" in shown
    assert "Inlet temperature" in shown
    figures = {str(figure.label): figure for figure in answer.context["figures"]}
    assert set(figures) == {"CPU", "Memory", "Fullest disk", "Temperature"}
    component.refresh_from_db()
    assert figures["CPU"].value == pytest.approx(component.cpu, abs=0.01)
    assert not any(figure.stale for figure in figures.values())


def test_an_open_page_makes_the_polls_quicker(browser, polled):
    component = polled().component
    presence.forget()
    browser.get(component.get_absolute_url())
    assert presence.watched() == [component.pk]


def test_a_tab_is_there_when_a_driver_has_the_capability(browser):
    component = make_interface(make_component(category="alert-only"), driver="alert_only").component
    answer = browser.get(component.get_absolute_url())
    assert [view.tab.name for view in answer.context["tabs"]] == [
        "overview", "sensors", "statistics", "alerts", "events", "history", "settings",
    ]  # fmt: skip
    nothing = browser.get(f"{component.get_absolute_url()}?tab=ports")
    assert nothing.context["tab"].name == "overview"


@pytest.mark.parametrize("tab", ["sensors", "ports", "inventory", "inventory-changes", "alerts", "history"])
def test_every_tab_answers_whole_and_in_part(browser, polled, tab):
    component = polled().component
    whole = browser.get(f"{component.get_absolute_url()}?tab={tab}")
    part = browser.get(f"{component.get_absolute_url()}?tab={tab}", **HTMX)
    assert whole.status_code == part.status_code == 200
    assert whole.context["tab"].name == tab
    assert b"<!DOCTYPE html>" in whole.content
    assert b"<!DOCTYPE html>" not in part.content
    assert b'id="component-panels" hx-swap-oob="morph"' in part.content
    assert b"data-chart-url" not in part.content


def test_what_was_not_measured_is_not_zero(browser):
    component = make_interface(make_component(), polled=False).component
    answer = browser.get(component.get_absolute_url())
    assert [(str(figure.label), figure.value) for figure in answer.context["figures"]] == [
        ("CPU", None),
        ("Memory", None),
        ("Fullest disk", None),
    ]
    assert text_of(answer).count("not measured") >= 3
    assert "Nothing was measured yet" in text_of(answer)


def test_old_values_are_marked_stale_with_their_age(browser, polled):
    component = polled().component
    LastValues.objects.update(measured_at=timezone.now() - timedelta(hours=3))
    answer = browser.get(component.get_absolute_url())
    assert all(figure.stale for figure in answer.context["figures"])
    assert "stale, 3 h ago" in re.sub(r"\s+,", ",", text_of(answer))
    assert b'class="stale"' in answer.content


def test_the_worst_cause_comes_first_with_all_others(browser, polled):
    component = polled(script="ailing").component
    causes.put([causes.Cause(component.pk, "alert", "psu", "critical", Phrase("Power supply 2 failed."))])
    answer = browser.get(component.get_absolute_url())
    told = [(cause.row.status, str(cause.row.text)) for cause in answer.context["causes"]]
    assert told == [("critical", "Power supply 2 failed."), ("warning", "Fan 2 fails")]
    assert all(text in text_of(answer) for _status, text in told)


def test_an_interface_that_fails_says_why_and_what_to_do(browser):
    component = make_component()
    make_interface(component, last_error=Phrase("No answer."), last_error_code="unreachable", failures=3)
    shown = text_of(browser.get(component.get_absolute_url()))
    assert "No answer." in shown
    assert "See whether the device is on and connected" in shown


def test_two_registrations_of_a_machine_are_joined_from_the_page(browser, browser_of):
    one, other = make_component("one"), make_component("other")
    facts = IdentityFacts(serial_number="SN-4711")
    for interface in (make_interface(one), make_interface(other)):
        machines.remember({interface.pk: facts})
    machines.compare([one.pk])
    assert "Join other into this component" in text_of(browser.get(one.get_absolute_url()))
    assert "Join other" not in text_of(browser_of("viewer").get(one.get_absolute_url()))
    answer = browser.post(f"{one.get_absolute_url()}join/", {"with": other.pk})
    assert answer.url == one.get_absolute_url()
    assert list(Component.objects.values_list("name", flat=True)) == ["one"]
    assert one.interfaces.count() == 2


def test_a_viewer_sees_no_button_and_may_press_none(browser_of, polled):
    component = polled().component
    viewer = browser_of("viewer")
    page = viewer.get(component.get_absolute_url()).content.decode()
    base = component.get_absolute_url()
    assert [word for word in BUTTONS if f'"{base}{word}"' in page] == []
    for word in ("check/", "refresh/", "manage/", "remove/"):
        assert viewer.post(base + word).status_code == 403
    assert viewer.get(f"{base}edit/").status_code == 403
    assert not Job.objects.exists()
    component.refresh_from_db()
    assert component.unmanaged is False


def test_an_administrator_presses_every_button(browser, polled, queued):
    component = polled().component
    base = component.get_absolute_url()
    page = browser.get(base).content.decode()
    assert [word for word in BUTTONS if f'"{base}{word}"' in page] == list(BUTTONS)
    for word, kind in (("check/", "check"), ("refresh/", "refresh")):
        answer = browser.post(base + word)
        job = Job.objects.latest("pk")
        assert (job.kind, answer.url) == (kind, job.get_absolute_url())
    browser.post(f"{base}manage/")
    component.refresh_from_db()
    assert component.unmanaged is True
    assert "Watch again" in text_of(browser.get(base))
    browser.post(f"{base}manage/")
    component.refresh_from_db()
    assert component.unmanaged is False


def test_somebody_elses_component_is_not_there(browser_of, polled):
    component = polled().component
    stranger = browser_of("operator", make_group("elsewhere"))
    base = component.get_absolute_url()
    sensor = Sensor.objects.first()
    for path in ("", "edit/", f"sensors/{sensor.pk}/limits/", f"sensors/{sensor.pk}/chart.json"):
        assert stranger.get(base + path).status_code == 404
    for path in ("check/", "refresh/", "manage/", "remove/", f"sensors/{sensor.pk}/limits/"):
        assert stranger.post(base + path).status_code == 404
    assert Component.objects.filter(pk=component.pk).exists()


def test_limits_are_set_in_a_dialog_and_count_at_once(browser, polled):
    component = polled().component
    memory = Sensor.objects.get(key="memory")
    url = f"{component.get_absolute_url()}sensors/{memory.pk}/limits/"
    assert b"<dialog" in browser.get(url, **HTMX).content
    wrong = browser.post(url, {"upper_warning": "50", "upper_critical": "10", "lower_warning": "x"}, **HTMX)
    assert wrong.status_code == 400
    assert set(wrong.context["form"].errors) == {"lower_warning"}
    wrong = browser.post(url, {"upper_warning": "50", "upper_critical": "10"}, **HTMX)
    assert wrong.status_code == 400
    assert set(wrong.context["form"].errors) == {"upper_critical"}
    assert b'value="50"' in wrong.content
    assert not Limit.objects.exists()

    done = browser.post(url, {"upper_warning": "1", "upper_critical": "2"}, **HTMX)
    assert done.headers["HX-Redirect"] == f"{component.get_absolute_url()}?tab=sensors&sensor={memory.pk}"
    limit = Limit.objects.get()
    assert (limit.upper_warning, limit.upper_critical, limit.lower_warning) == (1.0, 2.0, None)
    component.refresh_from_db()
    assert component.status == "critical"
    assert AuditEntry.objects.filter(action="sensor.limits").count() == 1
    assert "own limits" in text_of(browser.get(f"{component.get_absolute_url()}?tab=sensors"))

    assert browser.post(url, {"reset": "1"}).status_code == 302
    assert not Limit.objects.exists()
    component.refresh_from_db()
    assert component.status == "normal"


def test_a_viewer_may_not_set_limits(browser_of, polled):
    component = polled().component
    sensor = Sensor.objects.first()
    viewer = browser_of("viewer")
    page = viewer.get(f"{component.get_absolute_url()}?tab=sensors").content.decode()
    assert f"sensors/{sensor.pk}/limits/" not in page
    answer = viewer.post(f"{component.get_absolute_url()}sensors/{sensor.pk}/limits/", {"upper_warning": "1"})
    assert answer.status_code == 403
    assert not Limit.objects.exists()


def test_the_range_stands_in_the_address(browser, polled):
    component = polled().component
    for word in ("1h", "6h", "24h", "7d", "30d", "90d", "1y", "2y"):
        answer = browser.get(f"{component.get_absolute_url()}?range={word}")
        charts = answer.context["still"][0].content
        assert [name for name, _label, current in charts.ranges if current] == [word]
        assert all(chart.url.endswith(f"chart.json?range={word}") for chart in charts.charts)
        data = browser.get(charts.charts[0].url).json()
        assert set(data) == {"name", "unit", "from", "to", "lines", "before", "limits"}
        assert [len(line["points"]) for line in data["lines"]] == [1]
    assert browser.get(f"{component.get_absolute_url()}?range=soon").status_code == 200


def test_the_chart_of_a_sensor_stands_above_the_table(browser, polled):
    component = polled().component
    disk = Sensor.objects.get(key="storage.1")
    answer = browser.get(f"{component.get_absolute_url()}?tab=sensors&sensor={disk.pk}")
    (shown,) = answer.context["still"]
    assert shown.content.chosen.id == disk.pk
    assert f'id="row-{disk.pk}" aria-selected="true"' in answer.content.decode()


def changes_on(answer) -> list[StatusChange]:
    return next(view.content.changes for view in answer.context["panels"] if view.panel.name == "history")


def test_the_history_of_status_is_shown_by_pages(browser):
    component = make_component()
    for number in range(60):
        at = timezone.now() - timedelta(hours=number)
        StatusChange.objects.create(component=component, at=at, old="normal", new="warning", text=f"Reason {number}")
    first = browser.get(f"{component.get_absolute_url()}?tab=history")
    assert len(changes_on(first)) == 50
    assert "Reason 0" in text_of(first)
    second = browser.get(f"{component.get_absolute_url()}?tab=history&page=2")
    assert len(changes_on(second)) == 10


@pytest.mark.parametrize("tab", ["overview", "sensors", "ports", "inventory"])
def test_many_sensors_need_no_more_queries_than_one(browser, polled, tab):
    few, many = polled(sensors=1, ports=1), polled(sensors=60, ports=60)
    assert queries_of(browser, few, tab) == queries_of(browser, many, tab)


def queries_of(browser, interface, tab: str) -> int:
    return statements_of(lambda: browser.get(f"{interface.component.get_absolute_url()}?tab={tab}"))

"""The tags and filters as templates use them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, RequestContext, Template
from django.test import RequestFactory

from apps.portal import drawings

NOW = datetime(2026, 11, 23, 4, 25, 10, tzinfo=UTC)


def rendered(source: str, **context: Any) -> str:
    return Template(source).render(Context(context))


def test_icon_points_into_the_sprite_and_is_silent() -> None:
    html = rendered('{% icon "server" "ic-sm" %}')
    assert html == '<svg class="ic ic-sm" aria-hidden="true"><use href="/static/vendor/icons.svg#server"/></svg>'


@pytest.mark.parametrize(
    ("word", "css", "symbol"),
    [
        ("critical", "sti st-c", "st-c"),
        ("normal", "sti st-n", "st-n"),
        ("waiting", "sti jb st-q", "clock"),
        ("cancelled", "sti jb st-x", "ban"),
        ("something else", "sti st-u", "st-u"),
    ],
)
def test_state_has_a_glyph_and_not_only_a_colour(word: str, css: str, symbol: str) -> None:
    html = rendered("{% state word %}", word=word)
    assert f'class="{css}"' in html
    assert f'icons.svg#{symbol}"' in html


def test_status_and_pill_say_the_word() -> None:
    assert rendered('{% status "warning" %}').endswith("Warning</span>")
    assert rendered('{% pill "warning" "Open" %}') == '<span class="pill st-w">Open</span>'


def test_a_label_cannot_bring_markup_in() -> None:
    assert "<script>" not in rendered("{% status word %}{% pill word %}", word="<script>x</script>")


def test_ago_carries_the_full_time_for_people_and_machines() -> None:
    with mock.patch("django.utils.timezone.now", return_value=NOW):
        html = rendered("{{ when|ago }}", when=NOW - timedelta(minutes=6))
    assert html == (
        '<time datetime="2026-11-23T04:19:10+00:00" title="2026-11-23 04:19:10 UTC" data-ago>6 min ago</time>'
    )


def test_what_was_not_measured_says_so_and_is_never_zero() -> None:
    assert rendered("{{ None|quantity:'W' }}") == '<span class="mut">not measured</span>'
    assert rendered("{{ None|bytes }}") == '<span class="mut">not measured</span>'
    assert rendered("{{ None|duration }}") == '<span class="mut">not measured</span>'
    assert rendered("{{ None|ago }}") == '<span class="mut">not yet</span>'
    assert rendered("{{ None|ago:'never' }}") == '<span class="mut">never</span>'


def test_sparkline_leaves_a_gap_where_nothing_was_measured() -> None:
    html = drawings.sparkline([1, 2, None, 3, 4], limit=5)
    assert html.count("M") == 4  # two runs, each as a line and as an area
    assert "<line" in html
    assert drawings.sparkline([None, 3], None) == ""
    assert "nan" not in drawings.sparkline([5, 5, 5])


def test_range_bar_places_the_value_inside_the_zones_of_its_limits() -> None:
    html = drawings.range_bar(92.0, None, None, 90.0, 95.0)
    warning = html.split('class="f-w" x="')[1].split('"')[0]
    critical = html.split('class="f-c" x="')[1].split('"')[0]
    place = html.split('class="cur" x="')[1].split('"')[0]
    assert float(warning) - 2 < float(place) < float(critical)
    assert drawings.range_bar(None, None, None, 90.0, 95.0) == ""
    assert drawings.range_bar(5.0, None, None, None, None) == ""


def test_stacked_bar_fills_its_total_only_as_far_as_it_goes() -> None:
    html = rendered("{% stacked_bar parts label 10 %}", parts=[("done", 3), ("failed", 1)], label="4 of 10")
    assert 'viewBox="0 0 10 6"' in html
    assert '<rect class="f-n" x="0" width="3" height="6"/><rect class="f-c" x="3" width="1" height="6"/>' in html
    assert 'role="img" aria-label="4 of 10"' in html


def test_percent_is_never_100_before_the_end() -> None:
    assert rendered("{% percent 999 1000 %} {% percent 0 0 %}") == "99 100"


class SampleForm(forms.Form):
    name = forms.CharField(label="Name", help_text="As on the label.")
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)
    agreed = forms.BooleanField(label="Agreed")
    way = forms.ChoiceField(label="Way", widget=forms.RadioSelect, choices=[("a", "A"), ("b", "B")])


def test_a_field_ties_its_error_and_help_to_its_control() -> None:
    form = SampleForm({"name": ""})
    html = rendered('{% include "includes/_field.html" with field=form.name %}', form=form)
    assert '<label for="id_name">' in html
    assert 'class="inp"' in html
    assert 'aria-invalid="true"' in html
    described = html.split('aria-describedby="')[1].split('"')[0].split()
    assert described
    assert all(f'id="{name}"' in html for name in described)
    assert "This field is required." in html


def test_boxes_and_choices_have_their_own_shape() -> None:
    form = SampleForm()
    assert '<label class="check"' in rendered('{% include "includes/_field.html" with field=form.agreed %}', form=form)
    group = rendered('{% include "includes/_field.html" with field=form.way %}', form=form)
    assert group.count('type="radio"') == 2
    assert "<legend" in group
    assert "(optional)" in rendered('{% include "includes/_field.html" with field=form.note %}', form=form)


def test_page_links_keep_the_other_filters() -> None:
    request = RequestFactory().get("/components/", {"status": "critical", "page": "2"})
    page = Paginator(range(60), 25).get_page(2)
    html = Template('{% include "includes/_pages.html" %}').render(RequestContext(request, {"page": page}))
    assert "26–50 of 60" in html
    assert 'href="?status=critical&amp;page=3"' in html
    assert 'href="?status=critical&amp;page=1"' in html


def test_an_empty_list_says_none() -> None:
    html = rendered('{% include "includes/_pages.html" %}', page=Paginator([], 25).get_page(1))
    assert "None" in html
    assert "0–0" not in html

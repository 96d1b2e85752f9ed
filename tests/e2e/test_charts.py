"""What people take from charts in a browser: the values behind a line, and files of it."""

import csv
import re
import struct
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.conftest import Visit, leave
from tests.e2e.portal import Client, Portal

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def seen(browser: Browser, signed_in: str) -> Iterator[Visit]:
    """A signed-in page; in the end its console has said nothing."""
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1440, "height": 900}, locale="en-GB")
    visit = Visit(context.new_page())
    visit.page.on("console", visit.listen)
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    yield visit
    assert visit.complaints == []
    leave(context)


@pytest.fixture
def chart(seen: Visit, portal: Portal, api: Client, server: int) -> Locator:
    """The chart of one sensor, with a limit that is not far from its values."""
    sensors = api.get(f"/components/{server}/sensors/?limit=1000")["results"]
    memory = next(one for one in sensors if one["name"] == "Memory")
    seen.page.goto(f"{portal.url}/components/{server}/?tab=sensors&sensor={memory['id']}")
    figure = seen.page.locator(f'figure[data-chart-url*="/sensors/{memory["id"]}/"]').first
    expect(figure.locator("canvas")).to_be_visible()
    return figure


def rows_of(chart: Locator) -> list[list[str]]:
    lines = chart.locator(".values tbody tr")
    return [lines.nth(place).locator("td").all_inner_texts() for place in range(lines.count())]


def saved(chart: Locator, name: str, folder: Path) -> Path:
    """Choose an entry of the menu, and give the file that the browser got."""
    chart.get_by_text("Save", exact=True).click()
    with chart.page.expect_download() as found:
        chart.get_by_text(name, exact=True).click()
    path = folder / found.value.suggested_filename
    found.value.save_as(path)
    return path


def test_the_values_of_a_chart_stand_in_a_table_and_in_a_file(chart: Locator, tmp_path: Path) -> None:
    """The same moments in both, and no measurement is 0 because nobody made it."""
    chart.get_by_text("Show values").click()
    heads = chart.locator(".values thead th").all_inner_texts()
    assert [head.casefold() for head in heads] == ["time", "lowest", "mean", "highest"]
    rows = rows_of(chart)
    assert rows
    assert all(re.fullmatch(r"[\d.]+\s%|–", cell) for row in rows for cell in row[1:])

    path = saved(chart, "Values (CSV)", tmp_path)
    assert path.suffix == ".csv"
    text = path.read_text(encoding="utf-8")
    assert text.startswith("\N{BYTE ORDER MARK}")
    head, *lines = csv.reader(StringIO(text.removeprefix("\N{BYTE ORDER MARK}")))
    assert len(head) == len(lines[0])
    measured = [row for row in rows if row[2] != "–"]
    assert len(lines) >= len(measured)
    means = {round(float(line[4]), 2) for line in lines if line[4]}
    assert {round(float(row[2].split()[0]), 2) for row in measured} <= {round(mean, 2) for mean in means}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chart_is_saved_as_a_picture(chart: Locator, tmp_path: Path, theme: str) -> None:
    """Light or dark whatever the page is, with a white or a dark ground that is not empty."""
    path = saved(chart, f"Picture, {theme} (PNG)", tmp_path)
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (1248, 552)
    drawn = chart.page.evaluate(
        """async (octets) => {
            const picture = await createImageBitmap(new Blob([new Uint8Array(octets)], {type: "image/png"}));
            const canvas = new OffscreenCanvas(picture.width, picture.height);
            const pen = canvas.getContext("2d");
            pen.drawImage(picture, 0, 0);
            const pixels = pen.getImageData(0, 0, picture.width, picture.height).data;
            const colours = new Set(new Uint32Array(pixels.buffer));
            return {ground: [pixels[0], pixels[1], pixels[2]], colours: colours.size};
        }""",
        list(data),
    )
    assert (sum(drawn["ground"]) > 600) is (theme == "light")
    assert drawn["colours"] > 20  # lines, letters and their edges


def test_a_chart_is_saved_as_a_drawing(chart: Locator, tmp_path: Path) -> None:
    """Lines and letters that a drawing program opens."""
    path = saved(chart, "Drawing, light (SVG)", tmp_path)
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    assert (root.tag, root.get("width")) == (f"{SVG}svg", "1248")
    title = root.findtext(f"{SVG}title")
    assert title is not None
    assert title.startswith("Memory")
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert title in words
    assert any(text and text.startswith("real-server") for text in words)
    ground = root.find(f"{SVG}rect")
    assert ground is not None
    assert "255" in ground.get("fill", "")
    assert [path for path in root.iter(f"{SVG}path") if path.get("d")]
    assert "NaN" not in path.read_text(encoding="utf-8")


def test_a_limit_is_drawn_at_its_own_value(
    chart: Locator, tmp_path: Path, portal: Portal, api: Client, server: int
) -> None:
    """Also where one limit ends with the digits of another: 95 and 5."""
    place = re.search(r"/components/(\d+)/sensors/(\d+)/", chart.get_attribute("data-chart-url") or "")
    assert place is not None
    sensor = f"/components/{server}/sensors/{place[2]}/"
    names = ("lower_critical", "lower_warning", "upper_warning", "upper_critical")
    api.patch(sensor, {"limits": dict(zip(names, (None, 5, None, 95), strict=True))})
    try:
        chart.page.reload()
        expect(chart.locator("canvas")).to_be_visible()
        expect(chart.locator(".key")).to_contain_text("95 %")
        path = saved(chart, "Drawing, light (SVG)", tmp_path)
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        lines = [line.get("d", "") for line in root.iter(f"{SVG}path") if line.get("stroke-width") == "1.25"]
        heights = [float(line.partition(" ")[2].partition("H")[0]) for line in lines]
        assert len(heights) == 2
        assert abs(heights[0] - heights[1]) > 100
    finally:
        api.patch(sensor, {"limits": None})

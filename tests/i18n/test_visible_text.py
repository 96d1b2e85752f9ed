"""The checker itself: what it sees, what it reports, what it leaves alone."""

import pytest

from tests.i18n.visible_text import left_in_english, visible

CATALOGUE = {"Save": "保存", "API": "API"}


def test_text_and_spoken_attributes_are_seen_scripts_and_code_are_not():
    page = """<html lang="ja"><title>表題</title><script>let a = "Save";</script><code>Save</code>
    <button aria-label="閉じる" title="説明">×</button><input type="submit" value="送る"><input value="typed">
    <p>一つ<br>二つ</p><span lang="en">English words for you</span><img alt="図"></html>"""
    assert list(visible(page)) == ["表題", "閉じる", "説明", "×", "送る", "一つ", "二つ", "図"]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>Save</p>", ["Save"]),
        ('<p title="Save">保存</p>', ["Save"]),
        ("<p>API</p>", []),
        ("<p>The device is silent</p>", ["The device is silent"]),
        ("<p>web-01 の CPU load average を表示</p>", ["web-01 の CPU load average を表示"]),
        ("<p>SNMP v3 を使用</p>", []),
        ("<p>Save &amp; close all windows</p>", ["Save & close all windows"]),
        ("<p>PowerEdge R750 rack server</p>", []),
        ("<td>02:95:2c:da:af:fb</td>", []),
    ],
)
def test_english_is_reported_names_are_not(page: str, expected: list[str]):
    assert left_in_english(page, CATALOGUE, data=["PowerEdge R750 rack server"]) == expected

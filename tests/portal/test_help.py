"""The help: every entry is whole, found in the reader's language, and shown as text."""

import pytest
from django.test import Client

from apps.portal.helping import GLOSSARY, LIMITS, entries, marked
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def shown(client: Client, **query: str) -> list[str]:
    return [one.key for one in client.get("/help/", query).context["entries"]]


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(make_user("viewer", language="en"))
    return client


def test_the_words_of_the_guide_are_explained():
    guide = {entry.guide for entry in entries(GLOSSARY).values()}
    wanted = {
        "コンポーネント",
        "ダッシュボード",
        "クラシックモード",
        "マネージメントコントローラー",
        "監視中断",
        "アラート定義ファイル",
    }
    assert wanted <= guide


def test_every_entry_is_whole_and_leads_somewhere():
    glossary, limits = entries(GLOSSARY), entries(LIMITS)
    assert len(glossary) > 50
    assert len(limits) >= 30
    assert [key for key, entry in limits.items() if not (entry.area and entry.text and entry.advice)] == []
    assert [(key, see) for key, entry in glossary.items() for see in entry.see if see not in glossary] == []


def test_words_are_looked_for_in_both_lists(reader: Client):
    assert shown(reader, q="GRATUITOUS arp", show=LIMITS) == ["arp"]
    assert shown(reader, q="gratuitous arp") == ["arp"]  # the glossary has nothing of it
    assert shown(reader, q="management controller", show=GLOSSARY)[0] == "bmc"
    page = reader.get("/help/", {"q": "no such word"})
    assert page.context["entries"] == []
    assert "Nothing here has these words" in page.content.decode()


def test_words_are_found_in_japanese_and_english_by_a_japanese_reader(client: Client):
    client.force_login(make_user("viewer", language="ja"))
    assert "trap" in shown(client, q="トラップ")
    assert shown(client, q="gratuitous")[0] == "arp"
    page = client.get("/help/").content.decode()
    assert "用語集" in page
    assert 'id="term-component"' in page


def test_the_part_is_fetched_alone(reader: Client):
    part = reader.get("/help/", {"q": "snmp"}, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    assert part["Vary"].find("HX-Request") >= 0


def test_what_is_typed_is_shown_as_typed_and_the_rest_as_text():
    assert marked("set `ESM_USER` & <go>") == 'set <code class="mono">ESM_USER</code> &amp; &lt;go&gt;'


def test_a_search_is_no_way_into_the_page(reader: Client):
    page = reader.get("/help/", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in page


def test_the_top_bar_leads_to_it(reader: Client):
    assert 'href="/help/"' in reader.get("/jobs/").content.decode()

"""The Japanese catalogue: complete, with the same places, in the established words."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import polib
import pytest

from apps.system import extraction

PLACE = re.compile(r"%\(\w+\)[sd]|%%|%n")
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
TERMS = {  # English word → the word that stands for it wherever it is translated
    "component": "コンポーネント",
    "credential": "認証情報",
    "alert": "アラート",
    "group": "グループ",
    "sensor": "センサー",
    "token": "トークン",
    "job": "ジョブ",
    "role": "ロール",
}
LABEL = 4  # words; what is longer is a sentence and may put it differently
BARE = re.compile(r"\b[A-Za-z]+\b")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(extraction.CATALOGUE))


@pytest.fixture(scope="module", autouse=True)
def _read_once() -> Iterator[None]:
    """Read all sources once, for those who compare and those who write."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extraction, "messages", cache(extraction.messages))
        yield


def forms(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_the_catalogue_is_complete():
    missing, gone = extraction.compare()
    assert [message.text for message in missing] == []
    assert gone == []


def test_the_catalogue_is_written_the_way_the_command_writes_it(tmp_path):
    copy = tmp_path / "ja" / "LC_MESSAGES" / "django.po"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(extraction.CATALOGUE.read_bytes())
    extraction.renew(copy)
    assert copy.read_text(encoding="utf-8") == extraction.CATALOGUE.read_text(encoding="utf-8")


def test_every_translation_has_the_places_of_its_sentence(catalogue):
    wrong = [
        (entry.msgid, form)
        for entry in catalogue
        for form in forms(entry)
        if Counter(PLACE.findall(form)) != Counter(PLACE.findall(entry.msgid_plural or entry.msgid))
    ]
    assert wrong == []


def test_markup_is_kept(catalogue):
    tags = re.compile(r"</?\w+[^>]*>")
    wrong = [e.msgid for e in catalogue for form in forms(e) if tags.findall(form) != tags.findall(e.msgid)]
    assert wrong == []


def test_one_word_for_one_thing_in_labels(catalogue):
    wrong = []
    for entry in catalogue:
        words = [word.casefold() for word in BARE.findall(PLACE.sub("", entry.msgid))]
        if len(words) > LABEL:
            continue
        for english, japanese in TERMS.items():
            if {english, f"{english}s"} & set(words) and japanese not in forms(entry)[0]:
                wrong.append((entry.msgid, forms(entry)[0]))
    assert wrong == []


def test_no_english_word_that_has_a_japanese_one_is_left_in_a_translation(catalogue):
    known = {
        entry.msgid.casefold()
        for entry in catalogue
        if BARE.fullmatch(entry.msgid) and len(entry.msgid) > 3 and JAPANESE.search(forms(entry)[0])
    }
    quoted = re.compile(
        r"Microsoft Teams|Active Directory|(?:Serial|IPMI) over LAN|Console Redirection(?: after POST)?|"
        r"\([^()]*\)|<code>.*?</code>|「[^」]*」|\b[\w.]+[_./=-][\w.]+|/\w+/|\"[^\"]*\"|[{\[][^}\]]*[}\]]"
    )
    wrong = []
    for entry in catalogue:
        for form in forms(entry):
            rest = quoted.sub(" ", PLACE.sub(" ", form))
            if left := known & {word.casefold() for word in BARE.findall(rest)}:
                wrong.append((entry.msgid, form, left))
    assert wrong == []


def test_sentences_end_as_sentences_and_labels_do_not(catalogue):
    wrong = [
        (entry.msgid, form)
        for entry in catalogue
        for form in forms(entry)
        if form.endswith("。") and not entry.msgid.endswith((".", "?", ":", "now"))
    ]
    assert wrong == []

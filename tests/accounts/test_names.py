"""What a user may be called (INS-12): the names of the guide, longer ones, and none that passes for another."""

import pytest
from django.core.exceptions import ValidationError

from apps.accounts import names
from apps.accounts.models import User
from apps.accounts.services import users
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry
from tests.factories import make_user

pytestmark = pytest.mark.django_db
SECRET = "a rather long secret"


def make(name: str) -> User:
    return users.create(name, SECRET, SYSTEM)


def refusal(name: str) -> str:
    with pytest.raises(ValidationError) as caught:
        make(name)
    [sentence] = caught.value.message_dict["username"]
    assert not AuditEntry.objects.filter(action="user.create").exists()
    return sentence


@pytest.mark.parametrize("length", [1, 16, 17, 150])
def test_names_of_one_to_a_hundred_and_fifty_letters_and_digits_are_taken(length):
    name = ("Admin0123456789xyz" * 9)[:length]
    assert make(name).username == name


@pytest.mark.one_database
@pytest.mark.parametrize(
    "name", ["anna@example.com", "a.b+c-d_e", "山田太郎", "山田taro", "ヤマダ", "Jürgen", "Ольга", "김철수", "佐々木"]
)
def test_mail_addresses_and_letters_of_other_scripts_are_taken(name):
    assert make(name).username == name


@pytest.mark.one_database
@pytest.mark.parametrize("name", ["", " ", "\u3000"])
def test_no_name_is_asked_for(name):
    assert refusal(name) == "Enter a name."


def test_a_name_of_151_characters_is_refused():
    assert refusal("a" * 151) == "A name has at most 150 characters."


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("anna smith", "A name consists of letters, digits and @ . + - _; it holds “ ”."),
        ("anna/smith", "A name consists of letters, digits and @ . + - _; it holds “/”."),
        ("=cmd|calc", "A name consists of letters, digits and @ . + - _; it holds “=”."),
        ("anna*)(uid=*", "A name consists of letters, digits and @ . + - _; it holds “*”."),
        ("anna😀", "A name consists of letters, digits and @ . + - _; it holds “😀”."),
        ("an\x00na", "The name holds a character that is not seen (U+0000)."),
        ("anna\nroot", "The name holds a character that is not seen (U+000A)."),
        ("an\u200bna", "The name holds a character that is not seen (U+200B)."),
        ("an\u034fna", "The name holds a character that is not seen (U+034F)."),
        ("アン\u3164ナ", "The name holds a character that is not seen (U+1160)."),
        ("anna\u202etoor", "The name holds a character that is not seen (U+202E)."),
        ("an\u00adna", "The name holds a character that is not seen (U+00AD)."),
        ("\ue000", "The name holds a character that is not seen (U+E000)."),
        ("אנה", "Letters written from right to left would turn around the text beside the name."),
        ("anna١", "Letters written from right to left would turn around the text beside the name."),
        ("аdmin", "Do not mix letters of several scripts: some look the same and are not."),
        ("rοοt", "Do not mix letters of several scripts: some look the same and are not."),
    ],
)
def test_what_no_name_may_hold_is_named(name, sentence):
    assert refusal(name) == sentence


def test_wide_letters_are_plain_ones_and_sign_in_with_both(client):
    assert make("\u3000ｙａｍａｄａ１ ").username == "yamada1"
    assert User.objects.get_by_natural_key("ＹＡＭＡＤＡ１".lower()).username == "yamada1"
    answer = client.post("/login/", {"username": "ｙａｍａｄａ１", "password": SECRET})
    assert answer.status_code == 302


@pytest.mark.parametrize("name", ["ANNA", "Anna", "ａｎｎａ"])
def test_a_name_differs_in_more_than_capitals(name):
    make_user(username="anna")
    assert refusal(name) == "A user of this name exists already."


@pytest.mark.parametrize(("there", "name"), [("coco", "сосо"), ("coco", "СОСО"), ("oh", "он"), ("strasse", "straße")])
def test_a_name_does_not_look_like_that_of_another(there, name):
    make_user(username=there)
    assert refusal(name) in {"This name looks like that of another user.", "A user of this name exists already."}


def test_somebody_may_change_the_capitals_of_his_name_and_not_take_that_of_another():
    anna, ben = make_user(username="anna"), make_user(username="ben")
    users.change(anna, {"username": "Anna"}, SYSTEM)
    assert User.objects.get(pk=anna.pk).name_key == "anna"
    with pytest.raises(ValidationError):
        users.change(ben, {"username": "ANNA"}, SYSTEM)
    assert User.objects.get(pk=ben.pk).username == "ben"


def test_of_two_that_take_a_name_at_once_one_is_told(monkeypatch):
    monkeypatch.setattr(users, "_refuse_taken", lambda user: None)  # the other one is not there yet when it looks
    make("Anna")
    assert refusal_of_the_database("anna") == ["A user of this name exists already."]
    assert User.objects.filter(name_key="anna").count() == 1


def refusal_of_the_database(name: str) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        make(name)
    return caught.value.message_dict["username"]


def test_the_longest_key_fits_its_column():
    assert len(names.key("ΐ" * 150)) <= names.LONGEST_KEY

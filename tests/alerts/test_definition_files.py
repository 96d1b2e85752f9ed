"""The written form of definitions: one canonical recognition, a way out and back in, and a look before the taking."""

import pytest
from django.core.exceptions import ValidationError

from apps.alerts.models import AlertDefinition
from apps.alerts.services import definitions, importing
from apps.alerts.services.files import BadDefinition, dump, parse
from apps.alerts.services.importing import Outcome
from apps.alerts.services.oids import enterprise_of, other_form, trap_oid_of
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry

HEAD = "definitions:\n  x.fan:\n    name: Fan\n    severity: warning\n    title: Fan\n"


def written(more: str, head: str = "") -> dict[str, object]:
    """Read one definition with more lines."""
    return parse(head + HEAD + "".join(f"    {line}\n" for line in more.splitlines()), "x.yaml")["x.fan"]


@pytest.mark.parametrize(
    ("given", "trap_oid", "also", "enterprise"),
    [
        ("trap_oid: 1.3.6.1.4.1.9.7", "1.3.6.1.4.1.9.7", [], ""),
        ("enterprise: 1.3.6.1.4.1.9\nspecific: 7", "1.3.6.1.4.1.9.0.7", [], ""),
        ("enterprise: 1.3.6.1.4.1.9\nspecific: [7, 8]", "1.3.6.1.4.1.9.0.7", ["1.3.6.1.4.1.9.0.8"], ""),
        ("enterprise: [1.3.6.1.4.1.9, 1.3.6.1.4.1.8]\nspecific: 7", "1.3.6.1.4.1.9.0.7", ["1.3.6.1.4.1.8.0.7"], ""),
        ("enterprise: 1.3.6.1.4.1.9\ngeneric: 2", "1.3.6.1.6.3.1.1.5.3", [], "1.3.6.1.4.1.9"),
        ("generic: 4", "1.3.6.1.6.3.1.1.5.5", [], ""),
    ],
)
def test_both_ways_of_naming_a_trap_become_one(given, trap_oid, also, enterprise):
    fields = written(given)
    assert (fields["trap_oid"], fields["also"], fields["enterprise"]) == (trap_oid, also, enterprise)


def test_the_mapping_of_rfc_3584():
    assert [trap_oid_of("1.3.6.1.4.1.9", generic, 0) for generic in range(6)] == [
        f"1.3.6.1.6.3.1.1.5.{number}" for number in range(1, 7)
    ]
    assert trap_oid_of("1.3.6.1.4.1.9", 6, 4711) == "1.3.6.1.4.1.9.0.4711"
    assert enterprise_of("1.3.6.1.4.1.9.0.4711") == enterprise_of("1.3.6.1.4.1.9.4711") == "1.3.6.1.4.1.9"
    assert enterprise_of("1.3.6.1.6.3.1.1.5.3") == ""
    assert other_form("1.3.6.1.4.1.9.0.7") == "1.3.6.1.4.1.9.7"
    assert other_form("1.3.6.1.4.1.9.7") == "1.3.6.1.4.1.9.0.7"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("specific: 7", "specific needs an enterprise"),
        ("enterprise: 1.3.6.1.4.1.9\nspecific: many", "specific must be a number"),
        ("enterprise: 1.3.6.1.4.1.9\nspecific: true", "specific must be a number"),
        ("enterprise: 1.3.6.1.4.1.9\ngeneric: 7", "generic is a number from 0 to 5"),
        ("enterprise: 1.3.6.1.4.1.9\nspecific: 7\ngeneric: 2", "give one of trap_oid, specific and generic"),
        ("enterprise: 1.3.6.1.4.1.9\nspecific: 7\ntrap_oid: 1.3.6.1", "give one of trap_oid, specific and generic"),
        ("words: {fan: {1: one}}", "There is no binding fan."),
        ("severity_by: {binding: fan}", "There is no binding fan."),
    ],
)
def test_what_cannot_be_recognised_is_refused(given, said):
    with pytest.raises(BadDefinition, match=r"x\.yaml: x\.fan") as refused:
        written(given)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text", ["a: [", "- 1", "definitions: {'': {}}", "definitions: {a b: {}}", "!!python/object:os.x {}"]
)
def test_what_is_no_file_of_ours_is_refused(text):
    with pytest.raises(BadDefinition):
        parse(text, "x.yaml")


def test_shared_bindings_are_given_to_those_who_speak_of_them():
    head = "bindings: {fan: 1.3.6.1.4.1.9.2, speed: 1.3.6.1.4.1.9.3}\nfamily: Fans\n"
    fields = written("detail: It turns at %(speed)s rpm.\ntrap_oid: 1.3.6.1.4.1.9.7", head)
    assert (fields["bindings"], fields["family"]) == ({"speed": "1.3.6.1.4.1.9.3"}, "Fans")


@pytest.mark.django_db
@pytest.mark.usefixtures("definitions")
class TestImport:
    """Taking a file."""

    def test_an_export_of_everything_changes_nothing(self):
        definitions.create(
            {"name": "装置", "trap_oid": "1.3.6.1.4.1.9.7", "severity": "warning", "title": '"温度" 80%'}, SYSTEM
        )
        before = list(AlertDefinition.objects.values())
        text = dump(AlertDefinition.objects.all())
        plan = importing.plan(text)
        assert {entry.outcome for entry in plan.entries} == {Outcome.SAME}
        assert len(plan.entries) == len(before) > 310
        importing.take(text, SYSTEM)
        assert list(AlertDefinition.objects.values()) == before

    def test_own_and_changed_ones_come_back_to_another_portal(self):
        mine = {"name": "Fan", "trap_oid": "1.3.6.1.4.1.9.7", "severity": "warning", "title": "Fan %(fan)s"}
        made = definitions.create({**mine, "bindings": {"fan": "#1"}, "words": {"fan": {"1": "left"}}}, SYSTEM)
        changed = definitions.change(AlertDefinition.objects.get(key="linkDown"), {"severity": "critical"}, SYSTEM)
        text = dump([made, changed])
        definitions.remove(made, SYSTEM)
        definitions.restore(changed, SYSTEM)

        plan = importing.plan(text)
        assert [(entry.key, entry.outcome, entry.fields) for entry in plan.entries] == [
            ("own.fan", "new", ()),
            ("linkDown", "changed", ("severity",)),
        ]
        assert not AlertDefinition.objects.own().exists()  # so far it was only looked at
        importing.take(text, SYSTEM, "fans.yaml")
        assert dump(AlertDefinition.objects.filter(key__in=["linkDown", "own.fan"]).order_by("-key")) == text
        again = AlertDefinition.objects.get(key="linkDown")
        assert (again.severity, again.changes) == ("critical", ["severity"])
        entry = AuditEntry.objects.get(action="alert-definition.import")
        assert (entry.object_name, entry.after["new"], entry.after["changed"]) == ("fans.yaml", 1, 1)

    def test_a_file_that_somebody_wrote_is_taken_once_and_its_doubles_are_shown(self):
        text = (
            HEAD + "    trap_oid: 1.3.6.1.6.3.1.1.5.3\n" + HEAD.replace("definitions:\n", "").replace("x.fan", "x.ok")
        )
        text += "    trap_oid: 1.3.6.1.4.1.9.8\n    clears: [x.fan]\n"
        plan = importing.plan(text)
        assert [(entry.key, entry.outcome, entry.doubles) for entry in plan.entries] == [
            ("own.x.fan", "new", ("linkDown",)),
            ("own.x.ok", "new", ()),
        ]
        assert plan.doubled == 1
        importing.take(text, SYSTEM)
        assert AlertDefinition.objects.get(key="own.x.ok").clears == ["own.x.fan"]
        assert {entry.outcome for entry in importing.plan(text).entries} == {Outcome.SAME}

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("nothing", "there is no mapping 'definitions'"),
            (HEAD + "    trap_oid: 1.3.6.1.4.1.9.8\n    clears: [x.van]\n", "There is no definition x.van."),
            ("#" * 2_000_001, "The file is too large: at most 2 MB."),
        ],
    )
    def test_a_bad_file_is_refused_and_changes_nothing(self, text, said):
        with pytest.raises(ValidationError) as refused:
            importing.take(text, SYSTEM)
        assert said in refused.value.messages[0]
        assert not AlertDefinition.objects.own().exists()

    def test_too_many_at_once_are_refused(self, monkeypatch):
        monkeypatch.setattr(importing, "MOST", 1)
        text = HEAD + HEAD.replace("definitions:\n", "").replace("x.fan", "x.two")
        with pytest.raises(ValidationError, match="at most 1"):
            importing.take(text, SYSTEM)
        assert not AlertDefinition.objects.own().exists()

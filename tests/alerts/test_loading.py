"""Definition files are checked, loaded again and again, and never overrule what people switched off."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.alerts.models import AlertDefinition
from apps.alerts.services import Arrival, catalogue, ingest
from apps.alerts.services.loading import BadDefinition, load, read

GOOD = """
definitions:
  fan:
    name: Fan
    trap_oid: 1.3.6.1.4.1.9.1
    severity: warning
    title: "Fan failed"
  fan-ok:
    name: Fan recovered
    trap_oid: 1.3.6.1.4.1.9.2
    severity: normal
    title: "Fan works"
    clears: [fan]
"""


@pytest.mark.django_db
def test_the_shipped_definitions_load_twice_without_a_change(capsys):
    call_command("load_definitions")
    first = capsys.readouterr().out
    call_command("load_definitions")
    assert AlertDefinition.objects.count() >= 310
    assert first == f"new: {AlertDefinition.objects.count()}, changed: 0, switched off: 0\n"
    assert capsys.readouterr().out == "new: 0, changed: 0, switched off: 0\n"
    keys = set(AlertDefinition.objects.values_list("key", flat=True))
    assert {"coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure", "egpNeighborLoss"} < keys
    assert AlertDefinition.objects.get(key="linkUp").clears == ["linkDown"]


@pytest.mark.django_db
def test_a_change_in_a_file_arrives_and_what_was_switched_off_stays_off(tmp_path: Path):
    file = tmp_path / "fans.yaml"
    file.write_text(GOOD)
    load(tmp_path)
    AlertDefinition.objects.filter(key="fan").update(enabled=False)
    file.write_text(GOOD.replace("Fan failed", "A fan failed"))
    assert load(tmp_path) == {"new": 0, "changed": 1, "switched off": 0}
    fan = AlertDefinition.objects.get(key="fan")
    assert (fan.title, fan.enabled) == ("A fan failed", False)


@pytest.mark.django_db
def test_a_definition_that_left_the_files_is_switched_off_and_its_alerts_stay(tmp_path: Path):
    file = tmp_path / "fans.yaml"
    file.write_text(GOOD)
    load(tmp_path)
    definition = AlertDefinition.objects.get(key="fan")
    (alert,) = ingest([Arrival("snmp-trap", timezone.now(), definition, address="192.0.2.1")])
    file.write_text(GOOD.replace("clears: [fan]", "").replace(GOOD[GOOD.index("  fan:") : GOOD.index("  fan-ok:")], ""))
    assert load(tmp_path)["switched off"] == 1
    assert catalogue.current().match("1.3.6.1.4.1.9.1") is None
    alert.refresh_from_db()
    assert alert.definition == definition


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("severity: warning", "severity: bad", "There is no severity bad."),
        ("name: Fan\n", "nome: Fan\n", "there is no field 'nome'"),
        ('title: "Fan failed"', "title: 7", "title must be a str"),
        ("    name: Fan\n", "", "name: This is needed."),
        ("1.3.6.1.4.1.9.1", "enterprises.9.1", "is not an object identifier"),
        ("clears: [fan]", "clears: [van]", "clears van, which is not defined"),
        ("definitions:", "entries:", "there is no mapping 'definitions'"),
        ("  fan:", "  fan: [", "fans.yaml"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, old: str, new: str, said: str):
    file = tmp_path / "fans.yaml"
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(BadDefinition, match=r"fans\.yaml") as refused:
        read([file])
    assert said in str(refused.value)


@pytest.mark.django_db
def test_a_bad_file_changes_nothing_and_the_command_says_why(tmp_path: Path, settings):
    folder = tmp_path / "alert_definitions"
    folder.mkdir()
    (folder / "fans.yaml").write_text(GOOD + "  third: 7\n")
    settings.FIXTURES_DIR = tmp_path
    with pytest.raises(CommandError, match="third is not a mapping"):
        call_command("load_definitions")
    assert not AlertDefinition.objects.exists()

"""The chain of the audit: whoever changes, removes, cuts off or rewrites entries is found out, and retention is not."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.utils import timezone

from apps.core import audit, options
from apps.core.actors import SCHEDULE, SYSTEM
from apps.core.audit import anchor_file, badge, retention, sealing, verifying
from apps.core.models import AuditChain, AuditEntry
from apps.core.models.audit import Immutable
from apps.core.tasks import check_audit, remove_old_audit, seal_audit

pytestmark = pytest.mark.django_db


def record(number: int) -> list[AuditEntry]:
    return [audit.record(SYSTEM, "test.act", name=f"act {n}", after={"number": n}) for n in range(number)]


def entries() -> QuerySet[AuditEntry]:
    """Give the entries to one who has the database: the rows' own queryset changes nothing."""
    return QuerySet(AuditEntry).order_by("pk")


def sealed(number: int) -> list[AuditEntry]:
    made = record(number)
    seal_audit()
    check_audit()
    check_audit()  # the file follows a minute later
    return made


def broken() -> tuple[int | None, str]:
    check_audit()
    verifying.walk_all()
    chain = AuditChain.current()
    return chain.broken_sequence, chain.broken_why


def forget_falsely(last: AuditEntry) -> None:
    """Remove the beginning as one does who has the database alone: with an entry that says it was retention."""
    told = {"sequence": last.sequence, "digest": last.digest, "until": last.at.isoformat()}
    audit.record(SCHEDULE, "audit.forget", after={**told, "entries": last.sequence, "audit_retention": 730})
    entries().filter(sequence__lte=last.sequence).delete()
    AuditChain.objects.update(
        removed_sequence=last.sequence, removed_digest=last.digest, removed_until=last.at, removed_at=timezone.now()
    )
    seal_audit()


class TestSealing:
    """Entries are chained in their order."""

    def test_entries_are_chained_in_their_order(self):
        made = record(3)
        assert sealing.seal() == 3
        assert sealing.seal() == 0
        made += record(2)
        seal_audit()
        kept = list(AuditEntry.objects.order_by("sequence"))
        assert [entry.pk for entry in kept] == [entry.pk for entry in made]
        assert [entry.sequence for entry in kept] == [1, 2, 3, 4, 5]
        assert len({entry.digest for entry in kept}) == 5
        chain = AuditChain.current()
        assert (chain.sealed_sequence, chain.sealed_digest) == (5, kept[-1].digest)
        assert broken() == (None, "")

    def test_a_seal_costs_the_same_however_many_there_are(self, django_assert_num_queries):
        record(60)
        assert sealing.seal() == 60
        record(60)
        with django_assert_num_queries(8):
            assert sealing.seal() == 60
        record(1)
        with django_assert_num_queries(8):
            assert sealing.seal() == 1
        with django_assert_num_queries(1):
            assert sealing.seal() == 0

    def test_an_act_is_one_statement(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            audit.record(SYSTEM, "test.act", name="one", before={"a": 1}, after={"a": 2})

    def test_what_was_sealed_with_fewer_facts_holds_too(self):
        made = record(2)
        entries().update(form=1)
        seal_audit()
        assert broken() == (None, "")
        entries().filter(pk=made[1].pk).update(form=2)
        assert broken() == (2, "changed")


class TestEntriesStay:
    """No way of the ORM changes or removes one."""

    def test_nothing_changes_or_removes_an_entry(self):
        one = record(1)[0]
        one.actor_name = "somebody else"
        for attempt in (
            one.save,
            one.delete,
            AuditEntry.objects.all().delete,
            lambda: AuditEntry.objects.update(outcome="failed"),
            lambda: AuditEntry.objects.bulk_update([one], ["actor_name"]),
            lambda: AuditEntry.objects.filter(pk=one.pk)._raw_delete("default"),
        ):
            with pytest.raises(Immutable):
                attempt()
        assert AuditEntry.objects.get().actor_name == "portal"

    def test_an_entry_of_a_removed_user_stays_as_it_is(self, django_user_model):
        user = django_user_model.objects.create_user("gone")
        audit.record(SYSTEM, "test.act", user)
        entries().update(user=user)
        seal_audit()
        pk = user.pk
        user.delete()
        assert AuditEntry.objects.get(action="test.act").user_id == pk
        assert broken() == (None, "")


class TestForgery:
    """What somebody with the database can do shows."""

    @pytest.mark.parametrize(
        "change",
        [
            {"actor_name": "somebody else"},
            {"after": {"number": 7}},
            {"outcome": "refused"},
            {"digest": "0" * 64},
            {"login": "somebody"},
            {"request": "POST /elsewhere/"},
            {"group": 7},
            {"former_group": 7},
            {"user": None, "login": "x"},
            {"address": "192.0.2.1"},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_an_edit_shows(self, change):
        second = sealed(4)[1]
        entries().filter(pk=second.pk).update(**change)
        assert broken() == (2, "changed")

    def test_a_removed_entry_shows_at_its_place(self):
        second = sealed(4)[1]
        entries().filter(pk=second.pk).delete()
        assert broken() == (2, "gap")

    def test_the_beginning_removed_with_a_false_word_of_retention_shows_by_the_file(self):
        last = sealed(10)[-1]
        last = entries().get(pk=last.pk)
        forget_falsely(last)
        assert broken() == (10, "removed")
        assert badge.of_chain().word == "broken"

    def test_the_file_keeps_an_entry_of_each_of_the_last_days(self):
        moments = [timezone.now() - timedelta(days=days) for days in (40, 29, 29, 2, 0)]
        for moment in moments:
            entries().filter(pk=record(1)[0].pk).update(at=moment)
            seal_audit()
            check_audit()
            check_audit()
        assert [one.sequence for one in anchor_file.read().days] == [2, 4, 5]
        forget_falsely(entries().get(sequence=3))
        assert broken() == (3, "removed")

    def test_what_was_removed_at_its_time_is_no_forgery_and_an_old_file_is_read(self):
        for days in (40, 31, 3):
            entries().filter(pk=record(1)[0].pk).update(at=timezone.now() - timedelta(days=days))
            seal_audit()
            check_audit()
            check_audit()
        path = anchor_file.path()
        told = json.loads(path.read_text())
        del told["days"]
        path.write_text(json.dumps(told))
        assert anchor_file.read().sealed.sequence == 3
        assert broken() == (None, "")
        assert [one.sequence for one in anchor_file.read().days] == [3]
        assert retention.remove_old(30) == 2
        seal_audit()
        assert broken() == (None, "")

    def test_the_last_ones_removed_show_before_anything_is_walked(self):
        third = sealed(4)[2]
        entries().filter(pk__gte=third.pk).delete()
        check_audit()
        chain = AuditChain.current()
        assert (chain.broken_sequence, chain.broken_why) == (3, "cut")
        record(1)
        seal_audit()
        assert AuditEntry.objects.order_by("-sequence").first().sequence == 5  # the gap stays
        assert broken() == (3, "gap")

    def test_the_end_cut_off_with_what_the_database_remembers_shows_by_the_file(self):
        made = sealed(4)
        entries().filter(pk__gte=made[2].pk).delete()
        digest = entries().get(pk=made[1].pk).digest
        AuditChain.objects.update(sealed_sequence=2, sealed_digest=digest, verified_sequence=2, verified_digest=digest)
        assert broken() == (3, "cut")

    def test_a_chain_written_anew_shows_by_the_file(self):
        made = sealed(4)
        entries().filter(pk=made[1].pk).update(actor_name="somebody else")
        entries().update(sequence=None, digest="")
        AuditChain.objects.all().delete()
        seal_audit()  # every digest fits the one before
        assert verifying.walk(anchor_file.Place()).broken is None
        check_audit()
        assert (AuditChain.current().broken_sequence, AuditChain.current().broken_why) == (4, "rewritten")
        kept = anchor_file.read().sealed
        record(2)
        seal_audit()
        check_audit()
        assert anchor_file.read().sealed == kept  # the witness is not written over
        assert broken() == (4, "rewritten")

    def test_the_beginning_removed_by_somebody_else_shows(self):
        made = sealed(4)
        digest = entries().get(pk=made[1].pk).digest
        entries().filter(pk__lte=made[1].pk).delete()
        AuditChain.objects.update(removed_sequence=2, removed_digest=digest)
        assert broken() == (2, "removed")

    def test_a_false_entry_at_the_end_does_not_stop_the_sealer(self):
        sealed(2)
        audit.record(SYSTEM, "test.false")
        entries().filter(action="test.false").update(sequence=3, digest="f" * 64)
        record(1)
        seal_audit()
        assert AuditEntry.objects.order_by("-sequence").first().sequence == 4
        assert broken() == (3, "changed")


class TestVerification:
    """What is new is looked at every minute, all of it once a day."""

    def test_what_was_looked_at_is_not_walked_again(self, monkeypatch):
        sealed(6)
        walked = []
        digest_of = verifying.digest_of
        monkeypatch.setattr(verifying, "digest_of", lambda row, *rest: walked.append(row[-2]) or digest_of(row, *rest))
        record(2)
        seal_audit()
        check_audit()
        assert walked == [7, 8]
        AuditChain.objects.update(walked_at=timezone.now() - timedelta(hours=25))
        walked.clear()
        check_audit()
        assert walked == [1, 2, 3, 4, 5, 6, 7, 8]

    def test_a_walk_through_all_goes_on_in_slices(self, monkeypatch):
        sealed(6)
        monkeypatch.setattr(verifying, "LOOKS_AT_CLOCK", 2)
        verifying.start_walk()
        assert badge.of_chain().percent == 0
        seen = []
        while AuditChain.current().walk_since is not None:
            verifying.check(runs_for=-1)
            seen.append(AuditChain.current().walk_sequence)
        assert seen == [2, 4, 6, 6]
        assert badge.of_chain().percent is None

    def test_an_edit_of_what_was_looked_at_is_found_by_the_next_walk(self):
        first = sealed(5)[0]
        entries().filter(pk=first.pk).update(object_name="act 9")
        check_audit()
        assert AuditChain.current().broken_sequence is None
        verifying.start_walk()
        check_audit()
        assert AuditChain.current().broken_sequence == 1
        entries().filter(pk=first.pk).update(object_name="act 0")
        check_audit()
        assert AuditChain.current().broken_sequence == 1  # until all of it was walked through again
        verifying.start_walk()
        check_audit()
        assert AuditChain.current().broken_sequence is None

    def test_the_badge_says_how_the_chain_is(self):
        assert badge.of_chain().word == "unchecked"
        second = sealed(3)[1]
        found = badge.of_chain()
        assert (found.word, found.state, found.text) == ("intact", "normal", "Chain intact, 3 entries")
        AuditChain.objects.update(verified_at=timezone.now() - timedelta(hours=1))
        assert badge.of_chain().word == "unchecked"
        entries().filter(pk=second.pk).delete()
        broken()
        found = badge.of_chain()
        assert (found.word, found.state, found.text) == ("broken", "critical", "Chain broken at #2")
        assert found.detail == "Entries are missing before this one."

    def test_a_lost_file_is_no_forgery_and_comes_back(self):
        sealed(3)
        path = anchor_file.path()
        assert path.stat().st_mode & 0o777 == 0o600
        path.unlink()
        assert broken() == (None, "")
        assert json.loads(path.read_text())["sealed"]["sequence"] == 3
        path.write_text("{")
        assert broken() == (None, "")

    def test_a_backup_that_was_put_back_is_accepted_and_audited(self, capsys):
        made = sealed(5)
        entries().filter(pk__gte=made[3].pk).delete()
        digest = entries().get(pk=made[2].pk).digest
        AuditChain.objects.update(sealed_sequence=3, sealed_digest=digest, verified_sequence=3, verified_digest=digest)
        assert broken() == (4, "cut")
        call_command("audit", "accept")
        assert capsys.readouterr().out.splitlines()[0] == ("The chain ends at #3. Verify it: manage.py audit verify")
        entry = AuditEntry.objects.get(action="audit.accept")
        assert (entry.before["sequence"], entry.after["sequence"]) == (5, 3)
        call_command("audit", "verify")
        assert capsys.readouterr().out.splitlines()[0] == "The chain is intact: 4 entries, #1 to #4."
        assert broken() == (None, "")


class TestCommand:
    """``manage.py audit``."""

    def test_verify_names_what_is_wrong_and_fails(self, capsys):
        second = sealed(4)[1]
        call_command("audit", "verify")
        out = capsys.readouterr().out.splitlines()
        assert out[0] == "The chain is intact: 4 entries, #1 to #4."
        assert out[1] == f"Its end: {AuditEntry.objects.get(sequence=4).digest}"
        call_command("audit", "verify", "--from", "3")
        assert capsys.readouterr().out.splitlines()[0] == "The chain is intact: 2 entries, #3 to #4."
        entries().filter(pk=second.pk).update(actor_name="somebody else")
        told = rf"#2 was changed: entry {second.pk} of .*somebody else: test.act act 1"
        with pytest.raises(CommandError, match=told):
            call_command("audit", "verify")
        assert AuditChain.current().broken_sequence == 2
        entries().filter(pk=second.pk).delete()
        with pytest.raises(CommandError, match="entries are missing from #2 on"):
            call_command("audit", "verify")
        with pytest.raises(CommandError, match="no entry #2 that #3 could follow"):
            call_command("audit", "verify", "--from", "3")
        call_command("audit", "verify", "--from", "4")

    def test_export_writes_a_file_that_can_be_checked_by_itself(self, tmp_path, capsys):
        sealed(3)
        target = tmp_path / "audit.jsonl"
        call_command("audit", "export", str(target))
        rows = [json.loads(line) for line in target.read_text().splitlines()]
        assert [row["sequence"] for row in rows] == [1, 2, 3]
        assert rows[0]["after"] == {"number": 0}
        assert target.stat().st_mode & 0o777 == 0o600
        assert AuditEntry.objects.get(action="audit.export").actor_kind == "command"
        with pytest.raises(CommandError, match="File exists"):
            call_command("audit", "export", str(target))
        call_command("audit", "export", "--csv")
        assert capsys.readouterr().out.splitlines()[1].split(",")[5] == "portal"


class TestRetention:
    """Old entries go from the beginning, and the rest still proves itself."""

    def age(self, made: list[AuditEntry], days: int) -> None:
        """Have entries been written long ago."""
        for one in made:
            entries().filter(pk=one.pk).update(at=timezone.now() - timedelta(days=days))

    def test_the_oldest_go_and_the_chain_holds(self, monkeypatch):
        monkeypatch.setattr(retention, "BATCH", 2)
        old, new = record(5), record(2)
        self.age(old, 800)
        seal_audit()
        check_audit()
        last = AuditEntry.objects.get(pk=old[-1].pk)
        remove_old_audit()
        assert list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True))[:2] == [one.pk for one in new]
        chain = AuditChain.current()
        assert (chain.removed_sequence, chain.removed_digest, chain.removed_until) == (5, last.digest, last.at)
        told = AuditEntry.objects.get(action="audit.forget")
        assert told.actor_kind == "schedule"
        assert told.after == {
            "sequence": 5,
            "digest": last.digest,
            "until": last.at.isoformat(),
            "entries": 5,
            "audit_retention": 730,
        }
        seal_audit()
        assert broken() == (None, "")
        found = badge.of_chain()
        assert (found.entries, found.detail) == (3, "Entries up to #5 were removed when they were too old.")
        remove_old_audit()
        assert AuditEntry.objects.filter(action="audit.forget").count() == 1

    def test_a_run_that_was_killed_goes_on(self, monkeypatch):
        monkeypatch.setattr(retention, "BATCH", 2)
        monkeypatch.setattr(retention, "RUNS_FOR", -1)
        self.age(record(5), 800)
        seal_audit()
        remove_old_audit()
        assert AuditChain.current().removed_sequence == 0
        assert broken() == (None, "")
        monkeypatch.setattr(retention, "RUNS_FOR", 5)
        remove_old_audit()
        assert AuditChain.current().removed_sequence == 5
        assert broken() == (None, "")

    def test_zero_keeps_all_and_what_is_not_sealed_stays(self):
        self.age(record(2), 4000)
        assert retention.remove_old(730) == 0
        seal_audit()
        options.set_value("audit_retention", 0, SYSTEM)
        remove_old_audit()
        assert AuditEntry.objects.filter(action="test.act").count() == 2

    def test_a_forged_entry_is_not_forgotten(self):
        made = record(5)
        self.age(made, 800)
        seal_audit()
        check_audit()
        entries().filter(pk=made[2].pk).update(actor_name="somebody else")
        remove_old_audit()
        assert AuditChain.current().removed_sequence == 2
        check_audit()
        assert (AuditChain.current().broken_sequence, AuditChain.current().broken_why) == (3, "changed")
        remove_old_audit()
        assert AuditEntry.objects.filter(pk=made[2].pk).exists()

    def test_a_walk_goes_on_over_what_was_removed_meanwhile(self, monkeypatch):
        monkeypatch.setattr(verifying, "LOOKS_AT_CLOCK", 2)
        self.age(record(4), 800)
        record(2)
        seal_audit()
        verifying.check(runs_for=-1)
        assert AuditChain.current().walk_sequence == 2
        remove_old_audit()
        while AuditChain.current().walk_since is not None:
            verifying.check(runs_for=-1)
        assert AuditChain.current().broken_sequence is None

"""Verifies and exports the audit from the command line."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.actors import COMMAND
from apps.core.audit import export, record, sealing, verifying
from apps.core.audit.anchor_file import Place
from apps.core.models import AuditChain, AuditEntry, Break
from apps.core.writes import turn

SAYS = {
    Break.CHANGED: "#{place} was changed: {entry}.",
    Break.GAP: "entries are missing from #{place} on.",
    Break.CUT: "entries are missing at the end, from #{place} on.",
    Break.REWRITTEN: "#{place} is not the entry that was sealed: {entry}.",
    Break.REMOVED: "entries up to #{place} were removed, and the audit does not say by whom.",
}


class Command(BaseCommand):
    """``audit verify [--from N]``, ``audit export [--csv] [FILE]``, ``audit accept``."""

    help = "Verifies and exports the audit log."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe the three verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verify = verbs.add_parser("verify", help="walk the chain; if it is broken, name the first broken entry")
        verify.add_argument("--from", dest="start", type=int, help="begin with the entry of this number in the chain")
        out = verbs.add_parser("export", help="write all sealed entries, oldest first")
        out.add_argument("file", nargs="?", default="-", help="a new file; standard output without one")
        out.add_argument("--csv", action="store_true", help="CSV instead of JSON Lines")
        verbs.add_parser("accept", help="after a backup was put back: take the present end for the true one")

    def handle(self, *args: Any, verb: str, **given: Any) -> None:
        """Do what was asked."""
        if verb == "verify":
            self._verify(given["start"])
        elif verb == "export":
            self._export(given["file"], csv=given["csv"])
        else:
            chain = verifying.accept(COMMAND)
            self.stdout.write(f"The chain ends at #{chain.sealed_sequence}. Verify it: manage.py audit verify")

    def _verify(self, start: int | None) -> None:
        while sealing.seal() == sealing.AT_ONCE:
            pass
        place = self._before(start) if start is not None else None
        found, chain = verifying.walk_all(place, self._tell)
        if found.broken is not None:
            entry = AuditEntry.objects.filter(sequence=found.broken.sequence).first()
            told = f"entry {entry.pk} of {entry.at.isoformat()}, {entry}" if entry is not None else "it is gone"
            sentence = SAYS[found.broken.why].format(place=found.broken.sequence, entry=told)
            raise CommandError(f"The chain is broken: {sentence}")
        first = (place.sequence if place is not None else chain.removed_sequence) + 1
        self.stdout.write(f"The chain is intact: {found.number} entries, #{first} to #{found.at.sequence}.")
        self.stdout.write(f"Its end: {found.at.digest}")

    def _before(self, start: int) -> Place:
        """Give the place before an entry, as the database has it."""
        chain = AuditChain.current()
        if start == chain.removed_sequence + 1:
            return verifying.beginning(chain)
        digest = AuditEntry.objects.filter(sequence=start - 1).values_list("digest", flat=True).first()
        if digest is None:
            raise CommandError(f"There is no entry #{start - 1} that #{start} could follow.")
        return Place(start - 1, digest)

    def _tell(self, number: int) -> None:
        if number % 100_000 == 0:
            self.stderr.write(f"{number} entries")

    def _export(self, name: str, *, csv: bool) -> None:
        with turn():
            record(COMMAND, "audit.export", name=name, after={"format": export.CSV if csv else export.JSON_LINES})
        written = export.csv_file_text(_oldest_first()) if csv else export.json_lines(_oldest_first())
        if name == "-":
            for part in written:
                self.stdout.write(part, ending="")
            return
        try:
            with open(name, "x", encoding="utf-8", opener=_private) as file:
                file.writelines(written)
        except OSError as error:
            raise CommandError(f"{name}: {error.strerror}") from error
        sys.stderr.write(f"Written: {name}\n")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _oldest_first() -> Iterator[AuditEntry]:
    last = 0
    while part := list(AuditEntry.objects.filter(sequence__gt=last).order_by("sequence")[:1000]):
        yield from part
        last = part[-1].sequence or 0

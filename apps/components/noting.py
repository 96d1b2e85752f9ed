"""Keeps how contacts went: last error and answer, failures, latches, what drivers keep for the next time."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q
from django.utils import timezone

from apps.components.contact import BY_HAND, POLLS, Busy, Line, Withheld, words
from apps.components.fleet_offers import ENOUGH
from apps.components.models import Component, Credential, ManagementInterface
from apps.components.services import causes
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.protocols.errors import AuthenticationFailed, ContactError

SEEN_AT_MOST_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a contact went: no error means that the device answered."""

    line: Line
    error: ContactError | None = None
    state: Mapping[str, Any] = field(default_factory=dict, repr=False)


def note(outcomes: Iterable[Outcome]) -> None:
    """Keep how contacts went, in few statements: last error and answer, failures, latches, what the driver keeps."""
    told = [outcome for outcome in outcomes if not isinstance(outcome.error, Busy)]
    for start in range(0, len(told), causes.AT_ONCE):
        with turn():
            _note(told[start : start + causes.AT_ONCE], timezone.now())


def _note(outcomes: Sequence[Outcome], now: datetime) -> None:
    components = sorted({outcome.line.component_id for outcome in outcomes})
    list(Component.objects.select_for_update().filter(pk__in=components).order_by("pk").values_list("pk"))
    present = ManagementInterface.objects.filter(pk__in=[o.line.interface_id for o in outcomes]).order_by()
    before = {
        pk: None if polled_at is None else code
        for pk, polled_at, code in present.values_list("pk", "last_polled_at", "last_error_code")
    }
    outcomes = [outcome for outcome in outcomes if outcome.line.interface_id in before]
    moved = {
        outcome.line.component_id
        for outcome in outcomes
        if before[outcome.line.interface_id] != (outcome.error.code if outcome.error else "")
    }
    _note_answers([outcome for outcome in outcomes if outcome.error is None], now)
    _note_errors([outcome for outcome in outcomes if outcome.error is not None], now)
    polled = [o.line.interface_id for o in outcomes if o.line.purpose in POLLS and not isinstance(o.error, Withheld)]
    ManagementInterface.objects.filter(pk__in=polled).update(last_polled_at=now)
    causes.recompute(moved)


def _note_answers(answers: Sequence[Outcome], now: datetime) -> None:
    if not answers:
        return
    ManagementInterface.objects.filter(pk__in=[answer.line.interface_id for answer in answers]).update(
        last_error=Phrase(),
        last_error_code="",
        failures=0,
        last_answer_at=now,
        refused_version=None,
        refused_at=None,
    )
    _write_states([answer for answer in answers if answer.state and answer.state != answer.line.target.state])
    by_hand = [answer.line.interface_id for answer in answers if answer.line.purpose in BY_HAND]
    proven = [a.line.credential_id for a in answers if a.line.purpose in BY_HAND and a.line.credential_id is not None]
    if by_hand:
        # Whoever has just repaired something does not want to wait until a device that was given up is asked again.
        opened = Q(credential__in=proven, credential__latched_version__isnull=False) | Q(pk__in=by_hand)
        ManagementInterface.objects.filter(pk__in=_ids(opened), enabled=True).update(next_poll_at=now)
    if proven:
        Credential.objects.filter(pk__in=proven).update(latched_version=None, proven_at=now)
    seen = {answer.line.component_id for answer in answers}
    Component.objects.filter(Q(last_seen_at=None) | Q(last_seen_at__lt=now - SEEN_AT_MOST_EVERY), pk__in=seen).update(
        last_seen_at=now
    )


def _write_states(changed: Sequence[Outcome]) -> None:
    """Write what drivers keep, nearly always all of them: a prepared statement costs a tenth of ``bulk_update``."""
    if changed:
        statement = f"UPDATE {ManagementInterface._meta.db_table} SET state = %s WHERE id = %s"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.executemany(statement, [(json.dumps(dict(one.state)), one.line.interface_id) for one in changed])


def _ids(condition: Q) -> list[int]:
    return list(ManagementInterface.objects.filter(condition).order_by().values_list("pk", flat=True))


def _note_errors(failures: Sequence[Outcome], now: datetime) -> None:
    asked = defaultdict(list)
    for failure in failures:
        error = failure.error
        if error is None:
            continue
        text = words(error)
        if isinstance(error, Withheld):
            # What the device itself said when it refused is worth more than our word that we did not ask again.
            ManagementInterface.objects.filter(pk=failure.line.interface_id).exclude(last_error_code=error.code).update(
                last_error=text, last_error_code=error.code
            )
        else:
            asked[error.code, text.dumps()].append(failure.line.interface_id)
    for (code, stored), pks in asked.items():
        ManagementInterface.objects.filter(pk__in=pks).update(
            last_error=Phrase.loads(stored), last_error_code=code, failures=F("failures") + 1
        )
    _latch([f.line for f in failures if _was_refused(f)], now)


def _was_refused(outcome: Outcome) -> bool:
    return isinstance(outcome.error, AuthenticationFailed) and not isinstance(outcome.error, Withheld)


def _latch(refused: Sequence[Line], now: datetime) -> None:
    """Stop the interfaces that refused their credential, and a credential that two devices refused."""
    versions: dict[int, int] = {}
    for line in refused:
        if line.credential_id is not None and line.credential_version is not None:
            versions[line.credential_id] = line.credential_version
            ManagementInterface.objects.filter(pk=line.interface_id, credential=line.credential_id).update(
                refused_version=line.credential_version, refused_at=now
            )
    for credential_id, version in versions.items():
        credential = Credential.objects.filter(pk=credential_id, version=version).first()
        if credential is None:
            continue
        stopped = ManagementInterface.objects.filter(credential=credential_id, refused_version=version)
        if credential.proven_at is not None:
            stopped = stopped.filter(refused_at__gt=credential.proven_at)
        devices = stopped.aggregate(devices=Count("component", distinct=True))["devices"]
        if devices >= ENOUGH:
            Credential.objects.filter(pk=credential_id, version=version).update(latched_version=version)

"""The one door to devices: decrypts, looks at reservations and latches, opens drivers, keeps how it went.

Three parts, because the database is never asked inside an event loop: ``lines`` reads what is needed, ``open`` speaks
with one device, ``note`` writes how it went. The latch: one refusal stops an interface, refusals on two devices stop
the credential's version everywhere, until it is changed or somebody asks by hand.
"""

import asyncio
import json
import logging
import traceback
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.components import driver_parameters
from apps.components.credential_kinds import with_secrets
from apps.components.models import (
    CONSOLE,
    Component,
    Credential,
    CredentialVersion,
    ManagementInterface,
    Reservation,
)
from apps.components.offers import ENOUGH, Offer, Offers
from apps.components.services import causes
from apps.core.phrases import Phrase
from apps.core.secrets import Undecipherable
from apps.core.writes import turn
from apps.drivers import registry
from apps.drivers.contract import Driver, DriverSpec, Target
from apps.protocols.errors import AuthenticationFailed, ContactError, DeviceError, Stage, Unreachable, Unsupported

POLL = "poll"
CHECK = "check"
POLLS = frozenset({POLL, "refresh"})  # purposes after which an interface counts as polled
READING = POLLS | {CHECK, "inventory"}  # purposes that change nothing at a device
BY_HAND = frozenset({CHECK})  # purposes that offer a refused credential once more, because somebody asked for it
CLOSING = 3.0  # seconds that a driver has to say good-bye
SEEN_AT_MOST_EVERY = timedelta(minutes=1)

NO_CREDENTIAL = gettext_noop("No credential is set for this interface.")
REFUSED_HERE = gettext_noop(
    "%(address)s refused the credential %(credential)s; it is not offered again until it is changed or the "
    "connection is checked by hand."
)
REFUSED_ELSEWHERE = gettext_noop(
    "Several devices refused the credential %(credential)s; it is not used until it is changed or a connection is "
    "checked by hand."
)
HELD = gettext_noop("%(holder)s holds this interface for: %(purpose)s.")
NOT_INSTALLED = gettext_noop("There is no driver named %(driver)s.")
OTHER_KEY = gettext_noop("The stored credential cannot be decrypted: it belongs to another key file.")
TOO_SLOW = gettext_noop("%(address)s did not answer within %(seconds)s s.")
NO_WAY = gettext_noop("%(address)s cannot be reached: %(reason)s")
UNEXPECTED = gettext_noop("%(address)s sent something that could not be understood (%(kind)s).")

log = logging.getLogger(__name__)

connections: Counter[tuple[int, str]] = Counter()  # (interface, purpose): drivers opened by this process
log_ons: Counter[tuple[int, str]] = Counter()  # those of them that offered a credential: the target log budget
_told: set[tuple[str, str, str]] = set()  # driver, class and place of mistakes that this process has logged in full


class Withheld(AuthenticationFailed):
    """We did not ask the device, because it, or two others, refused the credential; or there is none."""


class Busy(ContactError):
    """Somebody holds the interface for himself; it says nothing about the device."""

    code = "already_running"
    retry_helps = True


@dataclass(frozen=True, slots=True)
class Line:
    """All that is needed to speak with one interface, without the database. Its repr shows no secret."""

    interface_id: int
    component_id: int
    component_name: str
    group_id: int
    driver: str
    spec: DriverSpec | None
    target: Target
    purpose: str
    credential_id: int | None = None
    credential_version: int | None = None
    credential_name: str = ""
    refusal: ContactError | None = None
    offers: Offers = field(default_factory=Offers, repr=False, compare=False)
    """How credentials were taken since these lines were made; shared by all of them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a contact went: no error means that the device answered."""

    line: Line
    error: ContactError | None = None
    state: Mapping[str, Any] = field(default_factory=dict, repr=False)


def lines(
    interfaces: Iterable[ManagementInterface | int],
    purpose: str,
    *,
    despite: Collection[str] = (),
    offers: Offers | None = None,
) -> list[Line]:
    """Read what is needed to speak with these interfaces, in their order; those that are gone are left out.

    Whoever holds one for another purpose is not disturbed, unless that is one of ``despite``. Lines that are made at
    different times for one piece of work share ``offers``.
    """
    ids = [one if isinstance(one, int) else one.pk for one in interfaces]
    rows = ManagementInterface.objects.select_related("component").prefetch_related("credential").in_bulk(ids)
    secrets = _secrets({row.credential for row in rows.values() if row.credential is not None})
    harmless = {purpose, *despite} if purpose in POLLS else {purpose, CONSOLE, *despite}
    holding = Reservation.objects.filter(interface__in=ids, until__gt=timezone.now()).exclude(purpose__in=harmless)
    if purpose in READING:
        holding = holding.exclude(lets_read=True)
    held = {reservation.interface_id: reservation for reservation in holding}
    shared = offers if offers is not None else Offers()
    return [
        _line(rows[pk], purpose, secrets.get(rows[pk].credential_id or 0), held.get(pk), shared)
        for pk in ids
        if pk in rows
    ]


def _secrets(credentials: Iterable[Credential]) -> dict[int, Mapping[str, Any] | None]:
    """Decrypt the present version of credentials; None where the key file is another one."""
    present = Q(pk=None)
    for credential in credentials:
        present |= Q(credential=credential.pk, number=credential.version)
    found: dict[int, Mapping[str, Any] | None] = {}
    stored = CredentialVersion.objects.filter(present).order_by()
    try:
        return {row.credential_id: row.fields for row in stored}
    except Undecipherable:
        for pk in list(stored.values_list("pk", "credential_id")):
            try:
                found[pk[1]] = CredentialVersion.objects.get(pk=pk[0]).fields
            except Undecipherable:
                found[pk[1]] = None
    return found


def _line(
    row: ManagementInterface,
    purpose: str,
    secret: Mapping[str, Any] | None,
    held: Reservation | None,
    offers: Offers,
) -> Line:
    spec = registry.specs().get(row.driver)
    credential = row.credential
    parameters = driver_parameters.effective(spec, row.parameters) if spec else dict(row.parameters)
    target = Target(
        address=row.address,
        port=row.port or (spec.default_port if spec else None),
        credential_kind=credential.kind if credential else "",
        credential=with_secrets(credential.kind, secret) if credential and secret else {},
        parameters=parameters,
        state=row.state,
    )
    return Line(
        interface_id=row.pk,
        component_id=row.component_id,
        component_name=str(row.component),
        group_id=row.component.group_id,
        driver=row.driver,
        spec=spec,
        target=target,
        purpose=purpose,
        credential_id=credential.pk if credential else None,
        credential_version=credential.version if credential else None,
        credential_name=credential.name if credential else "",
        refusal=_refusal(row, spec, purpose, secret, held),
        offers=offers,
    )


def _refusal(
    row: ManagementInterface,
    spec: DriverSpec | None,
    purpose: str,
    secret: Mapping[str, Any] | None,
    held: Reservation | None,
) -> ContactError | None:
    """Say why we do not even try, None when we do."""
    if spec is None:
        return Unsupported(NOT_INSTALLED, driver=row.driver)
    if held is not None:
        return Busy(HELD, holder=held.holder, purpose=held.purpose)
    credential = row.credential
    if credential is None:
        return Withheld(NO_CREDENTIAL) if spec.credential_kinds else None
    if secret is None:
        return DeviceError(OTHER_KEY, stage=Stage.SIGN_IN)
    if purpose in BY_HAND:
        return None
    if credential.is_latched:
        return Withheld(REFUSED_ELSEWHERE, credential=credential.name)
    if row.refused_version == credential.version:
        return Withheld(REFUSED_HERE, address=row.address, credential=credential.name)
    return None


@asynccontextmanager
async def open(line: Line, *, deadline: float | None) -> AsyncIterator[Driver]:
    """Open the driver of a line for at most ``deadline`` seconds; whatever goes wrong inside ends as a ContactError.

    Without a deadline, as for a console, whoever opens it sees to it that each thing he asks for ends.
    """
    if line.refusal is not None:
        raise line.refusal
    offer = await _offer(line)
    address = line.target.address
    try:
        async with asyncio.timeout(deadline), _closing(_construct(line)) as device:
            if offer is not None:
                offer.accept()
            yield device
    except AuthenticationFailed:
        if offer is not None:
            offer.refuse()
        raise
    except ContactError:
        raise
    except TimeoutError as error:
        raise Unreachable(TOO_SLOW, stage=Stage.PROTOCOL, address=address, seconds=f"{deadline or 0:g}") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Unreachable(NO_WAY, stage=Stage.ROUTE, address=address, reason=reason) from error
    except Exception as error:
        raise mistake(line, error) from None
    finally:
        if offer is not None:
            offer.end()


async def _offer(line: Line) -> Offer | None:
    """Wait until the credential may be offered; None where there is none, or somebody asked for it by hand."""
    if line.credential_id is None or line.purpose in BY_HAND:
        return None
    offer = await line.offers.begin(line.credential_id, line.component_id)
    if offer is None:
        raise Withheld(REFUSED_ELSEWHERE, credential=line.credential_name)
    return offer


def mistake(line: Line, error: Exception) -> DeviceError:
    """Log a mistake of a driver, and give what it is told as: nobody understood what the device sent."""
    _tell_mistake(line, error)
    return DeviceError(UNEXPECTED, address=line.target.address, kind=type(error).__name__)


def _tell_mistake(line: Line, error: Exception) -> None:
    """Log a mistake of a driver with the way to it, once for each place: a fleet would repeat it every minute.

    The text of a foreign exception is left out, because it may quote what we sent.
    """
    address, kind = line.target.address, type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    if (line.driver, kind, where) in _told:
        log.warning("%s through %s: %s at %s", address, line.driver, kind, where)
        return
    _told.add((line.driver, kind, where))
    way = "".join(traceback.format_list(frames))
    log.error("%s through %s: %s at %s, on this way:\n%s", address, line.driver, kind, where, way)


def _construct(line: Line) -> Driver:
    connections[line.interface_id, line.purpose] += 1
    if line.target.credential:
        log_ons[line.interface_id, line.purpose] += 1
    return registry.driver_class(line.driver)(line.target)


@asynccontextmanager
async def _closing(driver: Driver) -> AsyncIterator[Driver]:
    """Enter a driver and leave it whatever happens, with a time limit of its own for the good-bye."""
    device = await driver.__aenter__()
    try:
        yield device
    except BaseException as error:
        async with asyncio.timeout(CLOSING):
            await driver.__aexit__(type(error), error, error.__traceback__)
        raise
    async with asyncio.timeout(CLOSING):
        await driver.__aexit__(None, None, None)


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


def words(error: ContactError) -> Phrase:
    """Give what went wrong as a sentence that is translated when it is shown."""
    return Phrase(error.message, error.params)


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

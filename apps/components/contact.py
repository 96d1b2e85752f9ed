"""The one door to devices: decrypts, looks at reservations and latches, opens drivers.

Three parts, because the database is never asked inside an event loop: ``lines`` reads what is needed, ``open`` speaks
with one device, ``noting.note`` writes how it went. The latch: one refusal stops an interface, refusals on two devices
stop the credential's version everywhere, until it is changed or somebody asks by hand.
"""

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.components import driver_parameters
from apps.components.credential_kinds import with_secrets
from apps.components.models import (
    CONSOLE,
    Credential,
    CredentialVersion,
    ManagementInterface,
    Reservation,
)
from apps.components.offers import Login, Offer, Offers
from apps.core.phrases import Phrase
from apps.core.secrets import Undecipherable
from apps.drivers import registry
from apps.drivers.contract import Driver, DriverSpec, Target
from apps.protocols.errors import AuthenticationFailed, ContactError, DeviceError, Stage, Unreachable, Unsupported

POLL = "poll"
CHECK = "check"
POLLS = frozenset({POLL, "refresh"})  # purposes after which an interface counts as polled
READING = POLLS | {CHECK, "inventory"}  # purposes that change nothing at a device
BY_HAND = frozenset({CHECK})  # purposes that offer a refused credential once more, because somebody asked for it
CLOSING = 3.0  # seconds that a driver has to say good-bye

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
    login: Login | None = None  # what is offered of the credential
    failures: int = 0  # in a row, before this
    refusal: ContactError | None = None
    offers: Offers = field(default_factory=Offers, repr=False, compare=False)
    """How credentials were taken since these lines were made; shared by all of them."""


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
    credentials = {row.credential for row in rows.values() if row.credential is not None}
    secrets, logins = _secrets(credentials), _logins(credentials, purpose)
    harmless = {purpose, *despite} if purpose in POLLS else {purpose, CONSOLE, *despite}
    holding = Reservation.objects.filter(interface__in=ids, until__gt=timezone.now()).exclude(purpose__in=harmless)
    if purpose in READING:
        holding = holding.exclude(lets_read=True)
    held = {reservation.interface_id: reservation for reservation in holding}
    shared = offers if offers is not None else Offers()
    return [_line(rows[pk], purpose, secrets, logins, held.get(pk), shared) for pk in ids if pk in rows]


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


def _logins(credentials: Collection[Credential], purpose: str) -> dict[int, Login]:
    """Say of the present version of credentials how many devices use it, and which have refused it."""
    of_now = Q(refused_version=F("credential__version"))
    of_now &= Q(credential__proven_at=None) | Q(refused_at__gt=F("credential__proven_at"))
    used = ManagementInterface.objects.filter(credential__in=[one.pk for one in credentials]).order_by()
    # Of those that refused it, two different ones are enough to know.
    refused = {"one": Min("component", filter=of_now), "other": Max("component", filter=of_now)}
    counted = used.values_list("credential").annotate(devices=Count("component", distinct=True), **refused)
    found = {pk: (devices, frozenset({one, other} - {None})) for pk, devices, one, other in counted}
    return {
        one.pk: Login(one.pk, one.version, *found.get(one.pk, (0, frozenset())), by_hand=purpose in BY_HAND)
        for one in credentials
    }


def _line(
    row: ManagementInterface,
    purpose: str,
    secrets: Mapping[int, Mapping[str, Any] | None],
    logins: Mapping[int, Login],
    held: Reservation | None,
    offers: Offers,
) -> Line:
    spec = registry.specs().get(row.driver)
    credential = row.credential
    secret = secrets.get(credential.pk) if credential is not None else None
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
        login=logins.get(credential.pk) if credential else None,
        failures=row.failures,
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
    """Wait until the credential may be offered; None where there is none."""
    if line.login is None:
        return None
    offer = await line.offers.begin(line.login, line.component_id)
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


def words(error: ContactError) -> Phrase:
    """Give what went wrong as a sentence that is translated when it is shown."""
    return Phrase(error.message, error.params)

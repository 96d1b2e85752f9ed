"""The certificate by which a device is known: which it was, which it shows now, and taking the new one for good."""

import asyncio
import re
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.components import contact
from apps.components.models import ManagementInterface
from apps.core import audit, events
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.drivers import registry
from apps.protocols import pinning
from apps.protocols.errors import ContactError
from apps.protocols.pinning import Shown

PARAMETER, PIN, FACTS = "certificate", "pin", "certificate"
LOOKS_FOR = 8.0  # seconds; somebody waits


@dataclass(frozen=True, slots=True)
class Pair:
    """The certificate that is known, and the one that is shown now; ``error`` says why none is."""

    known: Shown | None
    shown: Shown | None
    error: Phrase | None = None

    @property
    def differs(self) -> bool:
        """Say whether there is another one to accept."""
        return self.shown is not None and (self.known is None or self.known.fingerprint != self.shown.fingerprint)


def is_pinned(row: ManagementInterface) -> bool:
    """Say whether the device of an interface is known by its certificate."""
    spec = registry.specs().get(row.driver)
    return spec is not None and spec.pins_certificate


def is_other(row: ManagementInterface) -> bool:
    """Say whether the last contact ended because another certificate was shown."""
    return is_pinned(row) and row.last_error.text == pinning.OTHER_CERTIFICATE


def known(row: ManagementInterface) -> Shown | None:
    """Give the certificate that is expected: the one that somebody entered, else the one that was seen first."""
    entered = re.sub(r"[\s:]", "", str(row.parameters.get(PARAMETER) or "")).lower()
    fingerprint = entered or str(row.state.get(PIN) or "")
    return Shown.kept(fingerprint, row.state.get(FACTS)) if fingerprint else None


def compare(row: ManagementInterface) -> Pair:
    """Ask the device for its certificate, without signing in. Not to be called inside a transaction."""
    spec = registry.specs().get(row.driver)
    port = row.port or (spec.default_port if spec else None) or 443
    try:
        found = asyncio.run(pinning.shown(row.address, port, within=LOOKS_FOR))
    except ContactError as error:
        return Pair(known(row), None, contact.words(error))
    return Pair(known(row), found)


def accept(row: ManagementInterface, fingerprint: str, actor: Actor) -> Shown:
    """Know the device by its new certificate from now on; raises Conflict when it shows another one than was looked at.

    The device is asked at once: that is what somebody waits for.
    """
    pair = compare(row)
    if pair.shown is None:
        raise Conflict(str(pair.error))
    if pair.shown.fingerprint != fingerprint:
        raise Conflict(_("The device shows another certificate now. Look at it again."))
    with turn():
        row = ManagementInterface.objects.select_for_update().select_related("component").get(pk=row.pk)
        before = known(row)
        row.state = {**row.state, PIN: fingerprint, FACTS: pair.shown.facts()}
        if row.parameters.get(PARAMETER):
            row.parameters = {**row.parameters, PARAMETER: fingerprint}
        if row.last_error.text == pinning.OTHER_CERTIFICATE:
            row.last_error, row.last_error_code, row.failures = Phrase(), "", 0
        row.next_poll_at = timezone.now()
        row.save(update_fields=["state", "parameters", "last_error", "last_error_code", "failures", "next_poll_at"])
        audit.record(
            actor,
            "component.certificate",
            row.component,
            before={"interface": row.pk, "fingerprint": before.fingerprint if before else ""},
            after={"interface": row.pk, "fingerprint": fingerprint},
        )
        events.publish("component")
    return pair.shown

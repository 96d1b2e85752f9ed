"""Ports and receivers by options: what is asked for, whether it can be had, and who holds what cannot."""

import os
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.components.models import ManagementInterface
from apps.components.services.needs import Lack
from apps.core import options
from apps.drivers.contract import Category, DriverSpec
from apps.system import chosen, control
from apps.system import ports as opening
from apps.system.chosen import Chosen
from apps.system.processes import Port, registry


def ports() -> Iterator[tuple[str, Port]]:
    """Give every port of the portal with the name of its process."""
    for spec in registry.build():
        for port in spec.ports:
            yield spec.name, port


def follow() -> None:
    """Write down for the supervisor, and for the next start, what the options say now."""
    stored = options.stored()
    known = [port for _name, port in ports()]
    numbers = {port.variable: stored[port.option].value for port in known if port.option in stored}
    off = {port.variable for port in known if port.switch in stored and not stored[port.switch].value}
    chosen.write(settings.DATA_DIR, Chosen(numbers, frozenset(off)))


def asked_for() -> dict[str, int]:
    """Give the number that each port is to have from the next start on, by variable."""
    numbers = chosen.read(settings.DATA_DIR).ports
    return {
        port.variable: port.number if os.environ.get(port.variable) else numbers.get(port.variable, port.number)
        for _name, port in ports()
    }


def can_be(variable: str) -> Callable[[Any], None]:
    """Give the check of a port's option: nobody else may hold that number, and no other port of ours."""

    def check(number: int) -> None:
        if os.environ.get(variable):
            return  # the environment decides, and the start says what is wrong with that
        if number == 0:
            raise ValidationError(_("0, any free port, can be given only in the environment."))
        found = {port.variable: port for _name, port in ports()}
        port = found[variable]
        for other, asked in asked_for().items():
            if other != variable and asked == number and found[other].protocol == port.protocol:
                raise ValidationError(
                    _("Port %(number)s is that of %(other)s, which is the portal's, too.")
                    % {"number": number, "other": found[other].label}
                )
        if number != port.number:
            _refuse_taken(port, number)

    return check


def lacks_of(row: ManagementInterface, spec: DriverSpec) -> list[Lack]:
    """Say of a device that only sends that nobody listens."""
    if spec.category is not Category.ALERT_ONLY or options.get("trap_reception"):
        return []
    sentence = _("The portal does not receive SNMP traps: their reception is switched off.")
    return [Lack(sentence, _("Switch it on under Processes and ports."), permission="settings")]


def _refuse_taken(port: Port, number: int) -> None:
    """Have the supervisor try, who may open what we may not and sees whose a port is; without one, try here."""
    try:
        found = control.ask(settings.DATA_DIR, "probe", variable=port.variable, number=number)
    except control.NotRunning:
        found = dict(opening.probe(port, number, port.binds or opening.addresses(settings.BIND)))
    if "refused" in found:
        raise ValidationError(refusal(found, number, port))


def refusal(found: dict[str, Any], number: int, port: Port) -> str:
    """Say why a port cannot be opened."""
    about = {"number": f"{number}/{port.protocol}", "about": found["about"], "label": port.label}
    sentences = {
        "taken": _("Port %(number)s is taken by %(about)s. Stop that program, or choose another port."),
        "root": _("Port %(number)s is below 1024: only root can open it. Start the portal as root with ESM_USER set."),
        "address": _("This machine does not have the address %(about)s, on which the portal is to listen (ESM_BIND)."),
    }
    return sentences.get(found["refused"], _("Port %(number)s cannot be opened.")) % about

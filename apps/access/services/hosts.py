"""By which names the portal is called: a browser that was led here under somebody else's name is not answered.

An address is nobody's name, so every address is taken, and ``localhost``. Of names, this machine's own are known, those
that upper apps know (a certificate's), and what the option ``allowed_hosts`` adds.
"""

import logging
import re
import socket
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http.request import split_domain_port, validate_host
from django.utils.translation import gettext as _

from apps.core import audit, options
from apps.core.actors import Actor, ActorKind
from apps.core.models import Outcome
from apps.core.registries import Registry
from apps.core.writes import turn

TOLD_AGAIN = 600.0  # seconds; nobody who has not signed in shall fill the audit
MOST_TOLD = 1000  # addresses that are remembered
OPTION, VARIABLE = "allowed_hosts", "ESM_ALLOWED_HOSTS"
PATTERN = re.compile(r"\*|\.?(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.?", re.IGNORECASE)
MACHINE = ("localhost", ".localhost")

log = logging.getLogger(__name__)
_told: dict[str, float] = {}

sources: Registry[Callable[[], Iterable[str]]] = Registry("source of host names")


def check(names: list[str]) -> None:
    """Raise ValidationError unless each is a name, a domain with all below it (``.example.net``), or ``*``."""
    for name in names:
        if not PATTERN.fullmatch(name):
            raise ValidationError(
                _("“%(name)s” is no host name. Enter names without ports; “.example.net” is all names below it.")
                % {"name": name[:80]}
            )


def known_names() -> list[str]:
    """Give the names that are configured: by the option, by certificates, by this machine."""
    found = [*options.get(OPTION), *(name for source in sources for name in source())]
    return [*MACHINE, _own_name(), *found, *(name for name in settings.ALLOWED_HOSTS if name != "*")]


def is_known(header: str, names: Iterable[str] | None = None) -> bool:
    """Say whether a Host header names this portal; with ``names``, by those alone and without asking anybody."""
    domain, _port = split_domain_port(header)
    domain = domain.lower()
    if not domain:
        return False
    try:
        ip_address(domain.strip("[]"))
    except ValueError:
        patterns = [_pattern(name) for name in (known_names() if names is None else names)]
        return validate_host(domain, patterns) or (names is None and domain == full_name())
    return True


def note_refusal(address: str, host: str) -> None:
    """Write down who called the portal by a name that is not its own: in the audit once in a while for each address."""
    log.warning("refused %s: it called the portal %r", address, host[:100])
    now = time.monotonic()
    if now - _told.get(address, -TOLD_AGAIN) < TOLD_AGAIN:
        return
    if len(_told) >= MOST_TOLD:
        _told.clear()
    _told[address] = now
    with turn():
        actor = Actor(ActorKind.USER, "", None, address)
        audit.record(actor, "access.host", name=f"Host: {host}"[:200], outcome=Outcome.REFUSED)


def _pattern(name: str) -> str:
    """Write a certificate's ``*.example.net`` as the pattern that it is."""
    return name.lower().rstrip(".").removeprefix("*") if name != "*" else name


@lru_cache(maxsize=1)
def _own_name() -> str:
    return socket.gethostname()


@lru_cache(maxsize=1)
def full_name() -> str:
    """Ask once for the machine's name with its domain; that may ask the network, so it comes last."""
    return socket.getfqdn().lower()

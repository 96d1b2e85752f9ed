"""Where we are, as a device sees us: the address and port to which it is to send its events."""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.alerts.services import reception
from apps.core import options
from apps.core.phrases import Phrase

ADDRESS = "event_address"
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # it is compared, nothing listens there
ANY_PORT = 9  # nothing is sent: the system only says which way it would go

NO_WAY = gettext_noop("This machine knows no way to %(address)s.")
NOT_LISTENING = gettext_noop(
    "The portal listens at %(binds)s only (ESM_BIND): events of devices do not reach it. Or set the option "
    "event_address, where something between passes them on."
)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)


class Nowhere(Exception):
    """A device cannot send here; ``phrase`` says why."""

    def __init__(self, phrase: Phrase) -> None:
        super().__init__(str(phrase))
        self.phrase = phrase


def place_for(address: str) -> str:
    """Give the beginning of the URL to which the device at an address is to send; raises Nowhere."""
    chosen = str(options.get(ADDRESS)).strip()
    if chosen:
        host, port = _split(chosen)
        return _written(host, port or own_port())
    own = towards(address)
    binds = [word.strip().strip("[]") for word in settings.BIND.split(",") if word.strip()] or ["127.0.0.1"]
    if own not in binds and not EVERYWHERE & set(binds):
        raise Nowhere(Phrase(NOT_LISTENING, {"binds": ", ".join(binds)}))
    return _written(own, own_port())


def chosen_host() -> str:
    """Give the address or name of ours that somebody entered for devices, without a port; "" where none is."""
    chosen = str(options.get(ADDRESS)).strip()
    return _split(chosen)[0] if chosen else ""


def own_port() -> int:
    """Give the port on which events are received; where the system chose it, the receiver knows it."""
    if settings.EVENT_PORT:
        return int(settings.EVENT_PORT)
    state = reception.reception_state()
    told = state.event_addresses if state is not None else []
    return int(told[0].rpartition(":")[2]) if told else 0


def towards(address: str) -> str:
    """Give the address of ours from which the system would send to another one."""
    try:
        ((family, _kind, _protocol, _name, where), *_others) = socket.getaddrinfo(
            address, ANY_PORT, type=socket.SOCK_DGRAM
        )
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(where)
            return str(probe.getsockname()[0]).partition("%")[0]
    except (OSError, UnicodeError) as error:
        raise Nowhere(Phrase(NO_WAY, {"address": address})) from error


def _written(host: str, port: int) -> str:
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _split(text: str) -> tuple[str, int | None]:
    """Read an address or name, with a port or without; raises ValueError."""
    try:
        return str(ipaddress.ip_address(text[1:-1] if text[:1] + text[-1:] == "[]" else text)), None
    except ValueError:
        parts = urlsplit(f"//{text}")
    host = parts.hostname or ""
    if f"//{text}" != parts.geturl() or parts.path or "@" in text:
        raise ValueError(text)
    if ":" in host:
        ipaddress.ip_address(host)
    elif not _HOST.fullmatch(host):
        raise ValueError(text)
    return host, parts.port


def check(text: str) -> None:
    """Refuse what is no address of ours."""
    if text.strip():
        try:
            _split(text.strip())
        except ValueError as error:
            raise ValidationError(_("Enter an address or a host name, with :port where it is another one.")) from error

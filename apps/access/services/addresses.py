"""Who may connect: the machine itself always, others once an administrator has added them."""

import time
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.access.models import AllowedAddress
from apps.core import audit
from apps.core.actors import Actor
from apps.core.writes import turn

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
MAPPED = 96  # bits of the prefix ::ffff:0:0/96 under which IPv4 is written as IPv6
FRESH = 3.0  # seconds that a process trusts what it read

_networks: Sequence[Network] = ()
_read_at = -FRESH


def parse(text: str) -> Address | None:
    """Read an address, IPv4 written as IPv6 as what it is, without a zone; None when it is none."""
    try:
        address = ip_address(text.strip().split("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def may_connect(address: Address) -> bool:
    """Say whether requests from this address are answered."""
    return address.is_loopback or within(address, _allowed())


def is_known_to_be_refused(address: Address) -> bool:
    """Say, without a look into the database, whether ``may_connect`` would say no."""
    fresh = time.monotonic() - _read_at < FRESH
    return fresh and not address.is_loopback and not within(address, _networks)


def within(address: Address, networks: Sequence[Network]) -> bool:
    """Say whether an address is in one of the networks."""
    return any(address.version == network.version and address in network for network in networks)


def allow(network: str, note: str, actor: Actor) -> AllowedAddress:
    """Let an address or prefix connect; raises ValidationError."""
    allowed = AllowedAddress(network=_normal(network), note=note.strip())
    allowed.full_clean()
    with turn():
        allowed.save()
        audit.record(actor, "address.allow", allowed, after={"network": allowed.network, "note": allowed.note})
        transaction.on_commit(forget)
    return allowed


def describe(allowed: AllowedAddress, note: str, actor: Actor) -> AllowedAddress:
    """Change the note beside an address."""
    with turn():
        before, allowed.note = allowed.note, note.strip()
        allowed.full_clean()
        allowed.save(update_fields=["note"])
        audit.record(actor, "address.describe", allowed, before={"note": before}, after={"note": allowed.note})
    return allowed


def disallow(allowed: AllowedAddress, actor: Actor) -> None:
    """Stop an address from connecting; raises ValidationError when the actor would lock himself out."""
    with turn():
        here = parse(actor.address) if actor.address else None
        present = AllowedAddress.objects.select_for_update().order_by(
            "pk"
        )  # two who remove at once: one after the other
        rest = [ip_network(one.network) for one in present if one.pk != allowed.pk]
        if here is not None and not here.is_loopback and not within(here, rest):
            raise ValidationError(_("You are connected from this address; removing it would lock you out."))
        audit.record(actor, "address.disallow", allowed, before={"network": allowed.network, "note": allowed.note})
        allowed.delete()
        transaction.on_commit(forget)


def forget() -> None:
    """Make this process read the addresses again."""
    global _read_at
    _read_at = -FRESH


def _allowed() -> Sequence[Network]:
    global _networks, _read_at
    if time.monotonic() - _read_at >= FRESH:
        _networks = [ip_network(one) for one in AllowedAddress.objects.values_list("network", flat=True)]
        _read_at = time.monotonic()
    return _networks


def networks(texts: Iterable[str]) -> list[str]:
    """Write addresses and prefixes each in its one way; what is none is left for the validator to refuse."""
    return list(dict.fromkeys(_normal(text) for text in texts if text.strip()))


def is_within(address: str | None, names: Sequence[str]) -> bool:
    """Say whether an address is in one of some networks; where there are none, every address is, and no address."""
    here = parse(address) if address else None
    return not names or (here is not None and within(here, [ip_network(name) for name in names]))


def _normal(text: str) -> str:
    """Write one network in one way, so that it is stored once; what is none is left for the validator to refuse.

    IPv4 written as IPv6 is written as what it is: that is how clients are known, too.
    """
    try:
        found = ip_network(text.strip(), strict=True)
    except ValueError:
        return text.strip()
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    if mapped is not None and found.prefixlen >= MAPPED:
        found = ip_network((mapped, found.prefixlen - MAPPED))
    return str(found).removesuffix("/32" if found.version == 4 else "/128")

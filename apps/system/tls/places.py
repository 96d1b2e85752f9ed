"""How many connections the web process holds at once, and how many of them one peer.

Some are kept free for the machine itself, so that the supervisor still gets its answer when everything else is taken.
"""

import logging
import resource
import time
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_network

from django.conf import settings

from apps.access.middleware import trusted_proxies
from apps.access.services.addresses import Address, parse, within

MOST = 8192  # connections at once
OF_ONE_PEER = 512  # behind one address there may be an office full of people
KEPT_FREE = 16  # for the machine itself
SAID_EVERY = 60.0  # seconds
log = logging.getLogger(__name__)


class Places:
    """The connections that are open, counted by peer."""

    def __init__(self, most: int | None = None) -> None:
        """``most`` follows from the limit of descriptors: each connection may need one more, such as for a file."""
        if most is None:
            soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            most = MOST if soft == resource.RLIM_INFINITY else min(MOST, soft // 2)
        self.most = most
        self.of_one_peer = min(OF_ONE_PEER, most // 2)
        self._kept_free = min(KEPT_FREE, most // 4)
        self._by_peer: Counter[str] = Counter()
        self._taken = 0
        self._said_at = -SAID_EVERY

    def take(self, text: str) -> Callable[[], None] | None:
        """Take a place for a peer's address; give what gives it back, once. None when there is none for him."""
        address = parse(text)
        near = address is not None and address.is_loopback
        if self._taken >= self.most - (0 if near else self._kept_free):
            self._say(f"{self._taken} connections are open, no more are taken")
            return None
        peer = _peer(address)
        if self._by_peer[peer] >= self.of_one_peer and not (near or _is_proxy(address)):
            self._say(f"{self.of_one_peer} connections of {peer} are open, no more are taken from there")
            return None
        self._taken += 1
        self._by_peer[peer] += 1
        held = True

        def give_back() -> None:
            nonlocal held
            if not held:
                return
            held = False
            self._taken -= 1
            self._by_peer[peer] -= 1
            if not self._by_peer[peer]:
                del self._by_peer[peer]

        return give_back

    def _say(self, sentence: str) -> None:
        if time.monotonic() - self._said_at >= SAID_EVERY:
            self._said_at = time.monotonic()
            log.warning("%s", sentence)


def _peer(address: Address | None) -> str:
    """Give by what a peer is counted: of IPv6 it is the network of one site, where a machine has any number."""
    if address is None:
        return ""
    return str(address) if address.version == 4 else str(ip_network((address, 64), strict=False))


def _is_proxy(address: Address | None) -> bool:
    return address is not None and within(address, trusted_proxies(tuple(settings.TRUSTED_PROXIES)))

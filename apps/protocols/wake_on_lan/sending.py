"""Sends magic packets as datagrams, to a broadcast address as a rule: a machine that sleeps answers no ARP."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence

from apps.protocols.errors import Stage, Unreachable
from apps.protocols.wake_on_lan.packet import magic_packet

TIMES = 3  # a datagram may be lost, and waking twice does no harm


def send(mac_addresses: Sequence[str], receivers: Iterable[tuple[str, int]]) -> int:
    """Send a packet for each address to each receiver (IP address, UDP port); gives how many datagrams left.

    Raises Unreachable when the system lets none of them out, BadAddress for a text that is no MAC address.
    """
    packets = [magic_packet(address) for address in mac_addresses]
    sent, refusal, asked = 0, "", ""
    for address, port in receivers:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as out:
            if family == socket.AF_INET:
                out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            for packet in packets * TIMES:
                try:
                    out.sendto(packet, (address, port))
                except OSError as error:
                    refusal, asked = error.strerror or type(error).__name__, address
                else:
                    sent += 1
    if not sent:
        raise Unreachable("%(address)s cannot be reached: %(reason)s", stage=Stage.ROUTE, address=asked, reason=refusal)
    return sent

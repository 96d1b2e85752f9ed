"""Sends informs at a steady pace and measures how long each waits for its answer, which comes after the commit."""

import asyncio
import time
from dataclasses import dataclass, field

from apps.protocols.snmp.ber import Tag, decode_pdu_head
from apps.protocols.snmp.message import open_envelope
from apps.protocols.snmp.notification import NotificationKind, encode_notification_v2

WARM_START = "1.3.6.1.6.3.1.1.5.2"
NOTE = "1.3.6.1.4.1.8072.9999.1.0"


@dataclass
class Sender(asyncio.DatagramProtocol):
    """One socket; an answer is matched by its request id."""

    sent: dict[int, float] = field(default_factory=dict)
    waited: list[float] = field(default_factory=list)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """Take an answer."""
        envelope = open_envelope(data)
        _kind, request_id, *_rest = decode_pdu_head(data, envelope.at, envelope.end)
        sent = self.sent.pop(request_id, None)
        if sent is not None:
            self.waited.append(time.monotonic() - sent)


async def send(port: int, per_second: int, seconds: float) -> tuple[list[float], int]:
    """Give the waits in seconds, and how many got no answer within five seconds of the last one."""
    loop = asyncio.get_running_loop()
    transport, sender = await loop.create_datagram_endpoint(Sender, remote_addr=("127.0.0.1", port))
    number = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        number += 1
        bindings = [(NOTE, Tag.OCTET_STRING, f"inform {number}".encode())]
        kind = NotificationKind.INFORM
        inform = encode_notification_v2(b"public", WARM_START, request_id=number, varbinds=bindings, kind=kind)
        sender.sent[number] = time.monotonic()
        transport.sendto(inform)
        await asyncio.sleep(1 / per_second)
    for _ in range(50):
        if not sender.sent:
            break
        await asyncio.sleep(0.1)
    transport.close()
    return sorted(sender.waited), len(sender.sent)

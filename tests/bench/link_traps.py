"""Has the agents of the fleet tell of links that go down and come up again, at a steady pace, each trap numbered."""

import socket
import time
from contextlib import ExitStack

from apps.protocols.snmp.ber import Tag
from apps.protocols.snmp.notification import encode_notification_v2
from tests.bench import fleet

LINK_DOWN, LINK_UP = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4"
IF_INDEX, IF_DESCR = "1.3.6.1.2.1.2.2.1.1", "1.3.6.1.2.1.2.2.1.2"
NUMBER = "1.3.6.1.4.1.8072.9999.1.0"
WORD = "soak trap"  # stands before the number


def send(port: int, agents: int, per_second: float, seconds: float) -> int:
    """Send for so long; every agent's own address is the sender. Gives how many were sent."""
    with ExitStack() as stack:
        sockets = []
        for number in range(agents):
            opened = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            opened.bind((fleet.address(number), 0))
            opened.connect(("127.0.0.1", port))
            sockets.append(opened)
        start, sent = time.monotonic(), 0
        while (elapsed := time.monotonic() - start) < seconds:
            if sent >= elapsed * per_second:
                time.sleep(1 / per_second)
                continue
            sockets[sent % agents].send(_trap(sent, agents))
            sent += 1
        return sent


def _trap(number: int, agents: int) -> bytes:
    """Every agent first says that a link is down, in its next turn that it is up, then goes on to the next link."""
    turn = number // agents
    index = 1 + turn // 2 % fleet.PORTS
    bindings = [
        (f"{IF_INDEX}.{index}", Tag.INTEGER, index),
        (f"{IF_DESCR}.{index}", Tag.OCTET_STRING, f"eth{index}".encode()),
        (NUMBER, Tag.OCTET_STRING, f"{WORD} {number}".encode()),
    ]
    trap_oid = LINK_UP if turn % 2 else LINK_DOWN
    return encode_notification_v2(b"public", trap_oid, request_id=number + 1, varbinds=bindings)

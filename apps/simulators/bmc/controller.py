"""One simulated controller: takes packets, answers them, and is reset, slow or silent as it was told to be."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from apps.simulators.bmc import hardware, wire
from apps.simulators.bmc.accounts import Accounts, Privilege
from apps.simulators.bmc.alerts import TRAP_PORT, Alerts
from apps.simulators.bmc.commands import COMMANDS, GROUP, Asked, Refused, Work
from apps.simulators.bmc.faults import Fault
from apps.simulators.bmc.machine import Event, Happening, Machine
from apps.simulators.bmc.sensors import Moment
from apps.simulators.bmc.serial_over_lan import SerialOverLan
from apps.simulators.bmc.session import Session
from apps.simulators.bmc.sessions import Sessions
from apps.simulators.bmc.settings import Settings
from apps.simulators.bmc.terminal import PASSWORD, Terminal
from apps.simulators.bmc.watchdog import Watchdog

NODE_BUSY, INVALID_COMMAND, INSUFFICIENT_PRIVILEGE = 0xC0, 0xC1, 0xD4
RESTARTS_IN = TAKES_IN = 8.0  # seconds
SENSORS_EVERY = 1.0  # seconds
_CLEARED = 2  # event of the event log
_SETS = frozenset({(0x0C, 0x01), (0x0C, 0x21), (0x04, 0x12), (0x06, 0x40), (0x06, 0x43), (0x06, 0x45)})
"""What sets the LAN, serial over LAN, event filtering, access by a channel, rights of a user and his name."""
_FREE = (wire.OPEN_REQUEST, wire.RAKP1, wire.RAKP3)

Peer = Any
Send = Callable[[bytes, Peer], object]


class Controller:
    """Answers for a machine. Who carries packets for it sets ``send``."""

    def __init__(
        self,
        machine: Machine,
        address: str = "127.0.0.1",
        port: int = 623,
        *,
        trap_port: int = TRAP_PORT,
        console_password: str = PASSWORD,
    ) -> None:
        self.machine, self.address, self.port = machine, address, port
        self.guid = machine.uuid.bytes_le
        self.accounts = Accounts()
        self.sessions = Sessions(self.accounts, self.guid, machine.clock)
        self.settings = Settings(address, port)
        self.alerts = Alerts(self, trap_port)
        self.serial_over_lan = SerialOverLan(self, Terminal(machine, console_password))
        self.watchdog = Watchdog(machine)
        self.sessions.ended = self.serial_over_lan.session_ended
        self.areas: dict[int, bytes] = {}  # what parts say of themselves, once somebody asked
        self.has_dcmi = True
        self.slowness = 5.0  # seconds, while it is slow
        self.lasts = 12  # commands that it still answers once it begins to die
        self.restarts_in = RESTARTS_IN
        self.takes_in = TAKES_IN  # seconds until it has a setting, while it is slow to take one
        self.asked = 0  # commands since the start
        self.received = 0  # packets
        self.is_lost = False  # by a change, until it is started anew from outside
        self.send: Send = lambda data, peer: None
        self.started_at = machine.clock()
        self._silent_until = 0.0
        self._left = self.lasts
        self._moment: Moment | None = None
        self._moment_at = 0.0
        self._unwatch = machine.watch(self._heard)

    def close(self) -> None:
        """Let go of the machine, and do nothing more."""
        self._unwatch()
        self.alerts.close()
        self.serial_over_lan.close()
        self.watchdog.stop()
        self.sessions.close_all()

    def _heard(self, machine: Machine, happening: Happening) -> None:
        self._moment = None
        if isinstance(happening, Event):
            self.alerts.tell(happening)

    def moment(self) -> Moment:
        """Give how the machine is, the same for all questions within some seconds: sensors are read now and then."""
        now = self.machine.clock()
        if self._moment is None or now - self._moment_at > SENSORS_EVERY:
            self._moment, self._moment_at = self.machine.moment(), now
        return self._moment

    def clear_log(self) -> None:
        """Empty the log, which says so in its first entry."""
        self.machine.log.clear()
        self.machine.note(hardware.EVENT_LOG, _CLEARED)

    # --- faults -------------------------------------------------------------------------------------------------------

    def begin(self, fault: Fault) -> None:
        """Let a fault of the machine or of the controller begin."""
        self._left = self.lasts
        self._moment = None
        self.machine.begin(fault)
        self._apply()

    def mend(self, fault: Fault) -> None:
        """Let it end."""
        self._moment = None
        self.machine.mend(fault)
        self._apply()

    def _apply(self) -> None:
        faults = self.machine.faults
        self.sessions.is_full = Fault.SESSION_FULL in faults
        self.sessions.refuses = Fault.WRONG_PASSWORD in faults

    @property
    def is_silent(self) -> bool:
        """Whether nothing comes from it, because of a fault or because it starts."""
        return Fault.SILENT in self.machine.faults or self.is_restarting

    def restart_soon(self) -> None:
        """Start anew once the answer is out."""
        asyncio.get_running_loop().call_soon(self.restart)

    def changed(self) -> None:
        """Take note of a change of the LAN or of who comes in by it, which may cost everybody the way to it."""
        self.is_lost = Fault.LOST_BY_CHANGE in self.machine.faults

    def restart(self) -> None:
        """Start the controller anew: sessions end, and it is silent for a while; the machine runs on."""
        self.sessions.close_all()
        self.started_at = self._silent_until = self.machine.clock() + self.restarts_in

    @property
    def is_restarting(self) -> bool:
        """Whether it answers nothing because it starts."""
        return self.machine.clock() < self._silent_until

    # --- packets ------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, peer: Peer) -> None:
        """Take a packet; what it is answered with goes out by ``send``, now or later."""
        faults = self.machine.faults
        self.received += 1
        if Fault.SILENT in faults or self.is_lost or (self._silent_until and self.is_restarting):
            return
        if Fault.DIES in faults and self._left <= 0:
            return
        answer = self._answer(data, peer)
        if answer is None:
            return
        if Fault.SLOW in faults:
            asyncio.get_running_loop().call_later(self.slowness, self.send, answer, peer)
        else:
            self.send(answer, peer)

    def _answer(self, data: bytes, peer: Peer) -> bytes | None:
        if len(data) < 12 or data[:3] != wire.RMCP:
            return None
        if data[3] == wire.ASF_CLASS:
            return wire.pong(data[9]) if data[4:8] == wire.ASF_IANA and data[8] == wire.PING else None
        if data[3] != wire.IPMI_CLASS or len(data) < 14:
            return None
        if data[4] == wire.RMCP_PLUS and len(data) >= 16:
            return self._answer_2_0(data, peer)
        if (data[4] == wire.NO_AUTHENTICATION and data[9:13] != bytes(4)) or data[4] != wire.NO_AUTHENTICATION:
            return None  # there are no sessions of IPMI 1.5
        told = self._carry_out(data[14 : 14 + data[13]], None)
        return None if told is None else wire.outside_1_5(told)

    def _answer_2_0(self, data: bytes, peer: Peer) -> bytes | None:
        kind, own_id = data[5], data[6:10]
        if own_id == bytes(4):
            payload = data[16 : 16 + int.from_bytes(data[14:16], "little")]
            if kind == wire.IPMI:
                told = self._carry_out(payload, None)
                return None if told is None else wire.outside_2_0(wire.IPMI, told)
            return self.sessions.hear(kind, payload, peer) if kind in _FREE else None
        session = self.sessions.get(own_id)
        opened = session.unseal(data) if session is not None and session.is_open else None
        if session is None or opened is None:
            return None
        session.peer = peer
        kind, content = opened
        if kind == wire.SOL:
            return self.serial_over_lan.hear(session, content)
        if kind != wire.IPMI:
            return None
        told = self._carry_out(content, session)
        return None if told is None else session.seal(wire.IPMI, told)

    def _carry_out(self, payload: bytes, session: Session | None) -> bytes | None:
        message = wire.message(payload)
        if message is None or message.netfn & 1:
            return None
        if session is not None:
            self.asked += 1
            if Fault.DIES in self.machine.faults:
                self._left -= 1
                if self._left < 0:
                    return None
        known = COMMANDS.get((message.netfn, message.command))
        if known is None or (message.netfn == GROUP and not self.has_dcmi):
            return None if session is None else wire.answer(message, INVALID_COMMAND, b"")
        needed, work = known
        if needed > (session.privilege if session else Privilege.NONE):
            return None if session is None else wire.answer(message, INSUFFICIENT_PRIVILEGE, b"")
        asked = Asked(message.data, session)
        if (message.netfn, message.command) in _SETS:
            if Fault.BUSY in self.machine.faults:
                return wire.answer(message, NODE_BUSY, b"")
            if Fault.SLOW_TO_TAKE in self.machine.faults:
                asyncio.get_running_loop().call_later(self.takes_in, self._take, work, asked)
                return wire.answer(message, 0, b"")
        try:
            return wire.answer(message, 0, work(self, asked))
        except Refused as refused:
            return wire.answer(message, refused.code, refused.data)
        except IndexError:
            return wire.answer(message, 0xC7, b"")

    def _take(self, work: Work, asked: Asked) -> None:
        """Do what was answered with success long ago; that it cannot be done is told to nobody."""
        with contextlib.suppress(Refused, IndexError):
            work(self, asked)

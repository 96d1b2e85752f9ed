"""The simulated controllers as a program; orders to them; the machine behind one."""

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.simulators.bmc import Controller, Event, Fault, Machine, Order, Pace, Started, Switched
from apps.simulators.bmc.event_log import EventLog
from apps.simulators.bmc.machine import NotNow
from apps.simulators.bmc.orders import obey
from apps.simulators.bmc.server import open_socket
from tests.peers import free_udp_port, program

ROOT = Path(__file__).resolve().parents[3]


def test_the_program_answers_at_many_addresses_and_obeys() -> None:
    port = free_udp_port()
    running = subprocess.Popen(
        [sys.executable, "-m", "apps.simulators.bmc", f"127.52.0.1:{port}", "--count", "300"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdin
        assert running.stdout
        places = [running.stdout.readline().strip() for _ in range(300)]
        assert places[-1] == f"127.52.1.44:{port}"
        running.stdin.write(f"fault {places[-1]} fan-stopped\nsessions {places[-1]}\n")
        running.stdin.flush()
        assert running.stdout.readline() == f"{places[-1]}: fan-stopped\n"
        assert running.stdout.readline() == f"{places[-1]}: 0\n"
        tool = [program("ipmitool", "ipmitool"), "-I", "lanplus", "-C", "17", "-U", "admin", "-P", "secret"]
        for address, fan in (("127.52.1.44", "0 RPM"), ("127.52.1.43", "00 RPM")):
            said = subprocess.run(
                [*tool, "-H", address, "-p", str(port), "sensor", "reading", "Fan2"],
                capture_output=True,
                text=True,
                timeout=60,
            ).stdout
            assert said.split("|")[1].strip() == "0" if fan == "0 RPM" else int(said.split("|")[1]) > 4000
    finally:
        running.terminate()
        assert running.wait(10) == 0


def test_orders_are_answered_and_unknown_ones_with_what_is_known() -> None:
    controller = Controller(Machine(later=lambda seconds, act: Timer()))
    known = {"a:1": controller}
    assert obey("fault a:1 psu-failed", known) == "a:1: psu-failed"
    assert obey("mend a:1 psu-failed", known) == "a:1: well"
    assert obey("log a:1", known) == "a:1: 4"
    assert obey("power a:1 soft", known) == "a:1: soft"
    assert (obey("orders a:1", known), obey("power a:1", known)) == ("a:1: soft", "a:1: on")
    assert obey("burn a:1", known).startswith(
        "fault|mend|power|orders|sessions|log|restart|packets ADDRESS:PORT; fault|mend"
    )


def test_only_loopback_is_answered() -> None:
    with pytest.raises(ValueError, match="loopback"):
        open_socket(["192.0.2.1"])


class Timer:
    """Something that was to happen."""

    def cancel(self) -> None:
        """Nothing."""


class Time:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now = 1_780_000_000.0
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, act: Callable[[], None]) -> Timer:
        self.waiting.append((self.now + seconds, act))
        return Timer()

    def go(self, seconds: float) -> None:
        self.now += seconds
        due = [act for at, act in self.waiting if at <= self.now]
        self.waiting = [one for one in self.waiting if one[0] > self.now]
        for act in due:
            act()


def test_whoever_watches_a_machine_is_told_what_happens() -> None:
    time, told = Time(), []
    machine = Machine(pace=Pace(on=1, off=1, cycle=3, boot=5), clock=lambda: time.now, later=time.later)
    stop = machine.watch(lambda _, happening: told.append(happening))
    machine.boot_flags = bytes((0x80, 1 << 2, 0, 0, 0))
    machine.order(Order.CYCLE)
    assert (machine.is_on, told) == (True, [])
    time.go(1)
    assert (machine.is_on, machine.is_up, machine.load, machine.watts) == (False, False, 0.0, 9.0)
    with pytest.raises(NotNow):
        machine.order(Order.RESET)
    time.go(3)
    assert (machine.is_on, machine.is_up) == (True, False)
    time.go(5)
    assert machine.is_up
    assert [one for one in told if not isinstance(one, Event)] == [Switched(False), Switched(True), Started(1)]
    assert machine.boot_flags == bytes(5)
    machine.begin(Fault.POWER_LOST)
    last = told[-1]
    assert isinstance(last, Event)
    assert (last.sensor.name, last.offset, last.asserted) == ("PSU Redundancy", 1, True)
    stop()
    machine.mend(Fault.POWER_LOST)
    assert told[-1] is last


def test_the_load_moves_what_is_measured() -> None:
    time, load = Time(), [0.0]
    machine = Machine(load=lambda at: load[0], clock=lambda: time.now)
    idle = machine.watts
    load[0] = 1.0
    assert (idle, machine.watts) == (112.0, 388.0)
    machine.power_limit = 300
    assert machine.watts == 300
    machine.light(20)
    assert machine.is_lit
    time.now += 21
    assert not machine.is_lit
    machine.light(math.inf)
    assert machine.is_lit_for_good


def test_a_full_log_loses_what_follows_and_numbers_go_on() -> None:
    log = EventLog(lambda: 1_780_000_000.0, room=2)
    first, second = log.add_event(1, 1, 1, (0, 0, 0)), log.add_event(1, 2, 1, (0, 0, 0))
    assert log.add_event(1, 3, 1, (0, 0, 0)) is None
    assert (log.overflowed, log.free) == (True, 0)
    assert log.get(0) == (2, first)
    assert log.get(2) == log.get(0xFFFF) == (0xFFFF, second)
    assert log.get(3) is None
    assert log.remove(1)
    assert not log.remove(1)
    log.clear()
    assert log.get(0) is None
    third = log.add_event(1, 3, 1, (0, 0, 0))
    assert third is not None
    assert third[:2] == b"\x03\x00"

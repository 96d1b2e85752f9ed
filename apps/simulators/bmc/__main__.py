"""``python -m apps.simulators.bmc 127.50.0.1:6230 …`` answers as one controller at each address until it is stopped.

``--count`` takes as many addresses from each one on. Commands come on the standard input, one a line: ``fault
ADDRESS:PORT NAME``, ``mend …``, ``power ADDRESS:PORT [on|off|cycle|reset|soft|nmi]``, ``orders …`` (what the machine
was ordered), ``sessions …`` (how many are open), ``log …`` (how many entries), ``restart …`` (the
controller), ``packets …`` (how many came).
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address

from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.alerts import TRAP_PORT
from apps.simulators.bmc.controller import RESTARTS_IN, TAKES_IN, Controller
from apps.simulators.bmc.machine import Machine
from apps.simulators.bmc.orders import obey
from apps.simulators.bmc.server import serve


def _places(options: argparse.Namespace) -> Iterator[tuple[str, int]]:
    for place in options.places:
        address, _, port = place.rpartition(":")
        for further in range(options.count):
            yield str(IPv4Address(address) + further), int(port)


def build(options: argparse.Namespace) -> dict[int, list[Controller]]:
    """Make the controllers that a command line asks for, by their ports."""
    found: dict[int, list[Controller]] = {}
    for number, (address, port) in enumerate(_places(options), start=1):
        machine = Machine(f"server-{number:04}", serial=f"SIM{number:07}")
        controller = Controller(machine, address, port, trap_port=options.trap_port)
        controller.accounts.add(options.username, options.password)
        if options.operator:
            controller.accounts.add(options.operator, options.password, Privilege.OPERATOR)
        if options.alerts:
            controller.settings.destinations[1].address = IPv4Address(options.alerts)
        controller.restarts_in, controller.takes_in = options.restarts_in, options.takes_in
        found.setdefault(port, []).append(controller)
    return found


async def _run(options: argparse.Namespace) -> None:
    servers = [await serve(those, port) for port, those in build(options).items()]
    controllers = {f"{one.address}:{server.port}": one for server in servers for one in server.controllers}
    for place in controllers:
        print(place, flush=len(controllers) < 10)
    sys.stdout.flush()
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)

    heard = bytearray()

    def listen() -> None:
        part = os.read(0, 4096)
        heard.extend(part)
        *lines, rest = heard.split(b"\n")
        heard[:] = rest
        for line in lines:
            print(obey(line.decode(errors="replace"), controllers), flush=True)
        if not part:
            loop.remove_reader(0)

    with contextlib.suppress(PermissionError):  # a file, such as nothing at all, never has anything new
        loop.add_reader(0, listen)
    await stop.wait()
    for server in servers:
        server.close()


def main() -> None:
    """Read the command line and answer until interrupted."""
    parser = argparse.ArgumentParser(prog="bmc", description=__doc__)
    parser.add_argument("places", nargs="+", metavar="ADDRESS:PORT", help="where to answer")
    parser.add_argument("--count", type=int, default=1, help="how many addresses from each one on")
    parser.add_argument("--username", default="admin")
    parser.add_argument("--password", default="secret")
    parser.add_argument("--operator", default="", help="name of a second user, who is an operator")
    parser.add_argument("--alerts", default="", metavar="ADDRESS", help="the first alert destination")
    parser.add_argument("--trap-port", type=int, default=TRAP_PORT, help="where alert destinations listen")
    parser.add_argument("--restarts-in", type=float, default=RESTARTS_IN, help="seconds that a restart takes")
    parser.add_argument("--takes-in", type=float, default=TAKES_IN, help="seconds in which one that is slow takes it")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()

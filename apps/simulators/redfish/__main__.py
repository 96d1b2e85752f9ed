"""``python -m apps.simulators.redfish 127.0.0.1:8443 …`` answers as one iLO at each address until it is stopped.

Commands come on the standard input, one a line: ``fault ADDRESS NAME``, ``mend ADDRESS NAME``, ``orders ADDRESS`` (what
the machine was ordered), ``sessions ADDRESS`` (how many are signed in), ``host ADDRESS NAME`` (somebody else gives the
controller a host name), ``writes ADDRESS`` (which of its resources were changed), ``restarts ADDRESS`` (how often it
started anew), ``requests ADDRESS`` (how many it was sent), ``subscriptions ADDRESS`` (to how many it sends events, and
how many were taken), ``forget ADDRESS`` (loses its subscriptions), ``asked ADDRESS`` (what it was
asked since somebody last wanted to know), ``tested ADDRESS`` (ends the self test with which the machine starts).
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import uuid
from pathlib import Path

from apps.simulators.redfish.certificate import make
from apps.simulators.redfish.machine import Fault, Machine
from apps.simulators.redfish.service import RESTARTS_IN, TAKES_IN, Service, serve
from apps.simulators.redfish.traps import TRAP_PORT


def obey(line: str, services: dict[str, Service]) -> str:
    """Carry out a command; gives what is to be said of it."""
    match line.split():
        case [("fault" | "mend") as verb, address, name] if address in services and name in list(Fault):
            service, fault = services[address], Fault(name)
            if verb == "fault":
                service.begin(fault)
            else:
                service.mend(fault)
            return f"{address}: {', '.join(sorted(service.machine.faults)) or 'well'}"
        case ["orders", address] if address in services:
            return f"{address}: {', '.join(services[address].machine.orders) or 'nothing'}"
        case ["sessions", address] if address in services:
            return f"{address}: {len(services[address].sessions)}"
        case ["host", address, name] if address in services:
            services[address].machine.configuration.host_name = name
            return f"{address}: {name}"
        case ["writes", address] if address in services:
            return f"{address}: {', '.join(services[address].machine.configuration.writes) or 'nothing'}"
        case ["restarts", address] if address in services:
            return f"{address}: {services[address].machine.configuration.restarts}"
        case ["requests", address] if address in services:
            return f"{address}: {len(services[address].requests)}"
        case ["subscriptions", address] if address in services:
            events = services[address].events
            return f"{address}: {len(events.destinations)} {events.sent}"
        case ["tested", address] if address in services:
            services[address].machine.end_self_test()
            return f"{address}: {services[address].machine.post_state}"
        case ["forget", address] if address in services:
            services[address].events.forget()
            return f"{address}: 0"
        case ["asked", address] if address in services:
            told = ", ".join(f"{method} {path}" for method, path in services[address].requests)
            services[address].requests.clear()
            return f"{address}: {told or 'nothing'}"
    return f"fault|mend {'|'.join(services)} {'|'.join(Fault)}"


async def _run(options: argparse.Namespace) -> None:
    services: dict[str, Service] = {}
    with tempfile.TemporaryDirectory() as folder:
        pairs = [make(Path(folder), name) for name in ("ilo", "other")]
        for number, place in enumerate(options.places, start=options.number):
            address, _, port = place.rpartition(":")
            own = uuid.uuid5(uuid.NAMESPACE_URL, place)
            machine = Machine(name=f"ilo-{number:03}", serial=f"SIM{number:07}", uuid=str(own))
            machine.configuration.clock.by_hand = options.clock_by_hand
            machine.configuration.traps.port = options.trap_port
            service = await serve(
                machine,
                address.strip("[]"),
                int(port),
                certificate=pairs[0],
                other_certificate=pairs[1],
                username=options.username,
                password=options.password,
                restarts_in=options.restarts_in,
                takes_in=options.takes_in,
            )
            known = f"{address}:{service.port}"
            services[known] = service
            print(f"https://{known}/redfish/v1/", flush=True)
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, stop.set)

        def listen() -> None:
            line = sys.stdin.readline()
            if line:
                print(obey(line, services), flush=True)
            else:
                loop.remove_reader(sys.stdin)

        loop.add_reader(sys.stdin, listen)
        await stop.wait()
        for service in services.values():
            await service.close()


def main() -> None:
    """Read the command line and answer until interrupted."""
    parser = argparse.ArgumentParser(prog="redfish", description=__doc__)
    parser.add_argument("places", nargs="+", metavar="ADDRESS:PORT", help="where to answer")
    parser.add_argument("--username", default="watcher")
    parser.add_argument("--password", default="secret")
    parser.add_argument("--number", type=int, default=1, help="of the first machine, in names and serial numbers")
    parser.add_argument("--restarts-in", type=float, default=RESTARTS_IN, help="seconds that a restart takes")
    parser.add_argument("--trap-port", type=int, default=TRAP_PORT, help="where alert destinations listen")
    parser.add_argument("--takes-in", type=float, default=TAKES_IN, help="seconds in which one that is slow takes it")
    parser.add_argument("--clock-by-hand", action="store_true", help="let its clock be set, as other makers do")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()

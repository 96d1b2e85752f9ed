"""``python -m apps.simulators.fleet --count 1000 --first 127.20.0.1 --port 16100`` answers until it is stopped."""

import argparse
import asyncio
import os
import signal
import socket
import sys
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

from apps.simulators.fleet import controllers
from apps.simulators.fleet.agents import Peer, open_socket, serve
from apps.simulators.fleet.control import Control
from apps.simulators.fleet.course import EPOCH
from apps.simulators.fleet.fleet import Fleet
from apps.simulators.fleet.plan import BadPlan, Login, Plan, Spec, addresses, mixed, read

DESCRIPTORS = "ESM_FLEET_FDS"  # a socket that was opened by who started us


def main() -> None:
    """Read the command line and answer until interrupted."""
    parser = argparse.ArgumentParser(prog="fleet", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--count", type=int, default=10, help="make up so many devices")
    what.add_argument("--plan", type=Path, help="take the devices of this file")
    parser.add_argument("--first", default="127.20.0.1", help="the first device's address; the others follow")
    parser.add_argument("--port", type=int, default=16100, help="the UDP port of all agents; 0 takes a free one")
    parser.add_argument("--traps", type=_peer, metavar="ADDRESS:PORT", help="where traps are sent")
    parser.add_argument("--since", type=float, default=EPOCH, help="the Unix time from which a plan's faults count")
    parser.add_argument("--seed", default="fleet", help="another word makes other values")
    parser.add_argument("--community", default="public")
    parser.add_argument("--user", help="a version 3 user: name:SHA-256:password:AES-128:password, or less of it")
    parser.add_argument(
        "--controllers", type=Path, metavar="FOLDER", help="answer as controllers; keep certificates there"
    )
    parser.add_argument("--control", type=Path, metavar="SOCKET", help="take orders there; see fleet.tell")
    parser.add_argument("--replay", type=Path, action="append", default=[], metavar="DUMP", help="one more device")
    options = parser.parse_args()
    try:
        if options.plan:
            plan = read(options.plan, options.first, options.since)
        else:
            plan = mixed(options.count, options.first, seed=options.seed, community=options.community)
        if options.user:
            plan = replace(plan, login=Login(*options.user.split(":")))
        fleet = Fleet(_with_dumps(plan, options.replay, options.community))
        opened = _handed_down() or open_socket(options.port)
    except (BadPlan, ValueError, TypeError) as error:
        parser.error(str(error))
    except OSError as error:
        sys.exit(f"fleet: UDP port {options.port} cannot be opened: {error.strerror}")
    asyncio.run(_run(fleet, opened, options.traps, options.control, options.controllers))


def _peer(text: str) -> Peer:
    address, _, port = text.rpartition(":")
    return str(IPv4Address(address)), int(port)


def _with_dumps(plan: Plan, dumps: list[Path], community: str) -> Plan:
    """Add a device for each dump behind the others."""
    free = addresses(str(IPv4Address(plan.devices[-1].address) + 1) if plan.devices else "127.20.0.1")
    added = [Spec(path.name.split(".")[0], "replay", next(free), community=community, dump=str(path)) for path in dumps]
    return replace(plan, devices=(*plan.devices, *added))


def _handed_down() -> socket.socket | None:
    number = os.environ.get(DESCRIPTORS, "")
    return socket.socket(fileno=int(number)) if number.isdigit() else None


async def _run(
    fleet: Fleet, opened: socket.socket, traps_to: Peer | None, path: Path | None, folder: Path | None
) -> None:
    agents = await serve(fleet, opened=opened, traps_to=traps_to)
    beside = await controllers.serve(agents, folder, agents.port) if folder is not None else None
    control = Control(agents)
    if path is not None:
        await control.listen(path)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    first, last = fleet.plan.devices[0].address, fleet.plan.devices[-1].address
    print(f"{len(fleet)} agents on {first} to {last}, UDP port {agents.port}", flush=True)
    await stop.wait()
    control.close()
    if beside is not None:
        await beside.close()
    agents.close()


if __name__ == "__main__":
    main()

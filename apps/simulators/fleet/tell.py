"""``python -m apps.simulators.fleet.tell SOCKET fault web-01 dead --seconds 60`` lets something be wrong.

Further words: ``mend DEVICE [KIND]`` ends it, ``list`` shows the devices and what is wrong with them.
"""

import argparse
import sys
from pathlib import Path

from apps.simulators.fleet.control import Refused, Remote
from apps.simulators.fleet.faults import FaultKind


def main() -> None:
    """Read the command line and give one order."""
    parser = argparse.ArgumentParser(prog="fleet.tell", description=__doc__)
    parser.add_argument("socket", type=Path)
    orders = parser.add_subparsers(dest="order", required=True)
    orders.add_parser("list", help="show the devices")
    fault = orders.add_parser("fault", help="let something be wrong")
    fault.add_argument("device")
    fault.add_argument("kind", choices=[kind.value for kind in FaultKind])
    fault.add_argument("--seconds", type=float, help="for so long; else until it is mended")
    fault.add_argument("--part", type=int, help="the number of the port or disk")
    fault.add_argument("--strength", type=float)
    mend = orders.add_parser("mend", help="end what is wrong")
    mend.add_argument("device")
    mend.add_argument("kind", nargs="?", choices=[kind.value for kind in FaultKind])
    options = parser.parse_args()
    try:
        remote = Remote(options.socket)
    except OSError as error:
        sys.exit(f"fleet.tell: no fleet takes orders at {options.socket}: {error.strerror}")
    with remote:
        try:
            _give(remote, options)
        except Refused as error:
            sys.exit(f"fleet.tell: {error}")


def _give(remote: Remote, options: argparse.Namespace) -> None:
    if options.order == "fault":
        how = {name: getattr(options, name) for name in ("seconds", "part", "strength")}
        done = remote.fault(options.device, options.kind, **how)
        print(f"{options.device}: {done['kind']}" + (f" of part {done['part']}" if done["part"] else ""))
    elif options.order == "mend":
        print(f"{remote.mend(options.device, options.kind)} ended")
    else:
        for device in remote.devices():
            wrong = ", ".join(f"{one['kind']} {one['part'] or ''}".strip() for one in device["faults"])
            controller = f"{device['controller']} {device['controller_address']}"
            print(
                f"{device['address']:<15} {device['kind']:<12} {device['name']:<24} {controller:<19} {wrong}".rstrip()
            )


if __name__ == "__main__":
    main()

"""Measures the portal beside other tools: ``make bench``, or ``make bench PARTS="polling soak"``.

Every figure is of whole processes by the kernel's accounting. Believe the ratios; absolute seconds are this machine's.
A part is a module of ``tests/bench/parts`` whose ``measure(folder)`` gives lines to print, in a folder of its own.
"""

import importlib
import platform
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import psutil

from tests.bench.portals import Failed

PARTS = (
    "polling",
    "controllers",
    "redfish",
    "traps",
    "pages",
    "access",
    "console",
    "scale",
    "soak",
)


def main(wanted: Sequence[str]) -> int:
    """Run the parts that are named, else all; a part that fails does not keep the others from running."""
    unknown = sorted(set(wanted) - set(PARTS))
    if unknown:
        print(f"There is no part {', '.join(unknown)}. The parts are: {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    python = platform.python_version()
    print(f"{date.today()}, {platform.machine()}, {psutil.cpu_count()} processors, Python {python}", flush=True)
    failed = False
    for name in (part for part in PARTS if part in (wanted or PARTS)):
        print(f"\n{name}", flush=True)
        try:
            with tempfile.TemporaryDirectory(prefix=f"esm-bench-{name}-") as folder:
                for line in importlib.import_module(f"tests.bench.parts.{name}").measure(Path(folder)):
                    print(f"  {line}", flush=True)
        except Failed as error:
            print(f"  FAILED: {error}", flush=True)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Our simulated management controllers in a process of their own, for tests that have no event loop."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.programs import Program, programs
from tests.redfish_peers import SECRET, USER


class BmcProgram(Program):
    """One of some simulated controllers in a process of their own."""

    def ipmitool(self, *command: str, user: str = USER) -> str:
        """Ask it by a program that we did not write."""
        login = ["-I", "lanplus", "-C", "3", "-H", self.address, "-p", str(self.port), "-U", user, "-P", SECRET]
        return subprocess.run(["ipmitool", *login, *command], capture_output=True, text=True, timeout=30).stdout


@contextmanager
def bmc_programs(network: str, number: int) -> Iterator[list[BmcProgram]]:
    """Simulated controllers that know USER with SECRET, and an operator."""
    options = ["--count", str(number), "--username", USER, "--password", SECRET, "--operator", "oper"]
    words = [f"{network}.1:0", *options, "--restarts-in", "0.5"]
    with programs(BmcProgram, "apps.simulators.bmc", words, number) as found:
        yield found

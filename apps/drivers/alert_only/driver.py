"""Pings a device that is registered only so that its alerts have a home."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from apps.drivers.alert_only import parse
from apps.drivers.contract import CheckStep, Driver, Health, HealthReport, Reading, Sensors, Stage
from apps.drivers.per_loop import PerLoop
from apps.protocols.errors import Unreachable, Unsupported
from apps.protocols.ping import Pinger, PingNotPermitted

pinger = PerLoop(Pinger)


class AlertOnlyDriver(Driver, Health, Sensors):
    """One conversation by ICMP echo; the device is asked once per contact."""

    _seconds: float | None = None

    async def check(self) -> Sequence[CheckStep]:
        """Ping once."""
        seconds = await self._round_trip()
        params = {"address": self.target.address, "milliseconds": f"{seconds * 1000:.1f}"}
        return (CheckStep(Stage.ROUTE, "%(address)s answers a ping in %(milliseconds)s ms", params),)

    async def read_health(self) -> HealthReport:
        """A device that answers is well: nothing more is known of it."""
        await self._round_trip()
        return HealthReport()

    async def read_sensors(self) -> Sequence[Reading]:
        """Give the round trip."""
        return (parse.latency(await self._round_trip()),)

    async def _round_trip(self) -> float:
        if self._seconds is None:
            address = await _numeric(self.target.address)
            try:
                self._seconds = await pinger().ping(address, timeout=self.target.timeout, retries=self.target.retries)
            except PingNotPermitted as error:
                raise Unsupported("%(what)s", stage=Stage.ROUTE, what=error) from error
            except OSError as error:
                raise Unreachable(
                    "There is no way to %(address)s: %(reason)s",
                    stage=Stage.ROUTE,
                    address=self.target.address,
                    reason=error.strerror or error,
                ) from error
        if self._seconds is None:
            raise Unreachable("%(address)s does not answer a ping", stage=Stage.ROUTE, address=self.target.address)
        return self._seconds


async def _numeric(address: str) -> str:
    """Turn a name into an address; ``Unreachable`` at stage *name* when nobody knows it."""
    try:
        return str(ip_address(address))
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().getaddrinfo(address, None, type=socket.SOCK_DGRAM)
    except (OSError, ValueError) as error:
        raise Unreachable("The name %(address)s is not known", stage=Stage.NAME, address=address) from error
    return str(found[0][4][0])


DRIVER = AlertOnlyDriver

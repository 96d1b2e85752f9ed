"""The text console of a machine by serial over LAN."""

from typing import Self

from apps.drivers.contract import SerialLine
from apps.protocols.ipmi import IpmiConnection, IpmiConsole


class BmcLine(SerialLine):
    """The line of one controller."""

    method = "Serial over LAN (IPMI 2.0)"

    def __init__(self, console: IpmiConsole) -> None:
        self._console = console
        self.speed = console.speed
        self.mark = console.mark

    @classmethod
    async def open(cls, connection: IpmiConnection, *, take: bool) -> Self:
        """Open it over a session that is signed in."""
        console = IpmiConsole(connection)
        await console.open(take=take)
        return cls(console)

    @property
    def available(self) -> bool:
        """Say whether the controller takes characters."""
        return self._console.available

    async def read(self) -> bytes:
        """Wait for what comes."""
        return await self._console.read()

    async def write(self, data: bytes) -> bool:
        """Send bytes."""
        return self._console.write(data)

    async def send_break(self) -> bool:
        """Send a break."""
        return self._console.send_break()

    async def close(self) -> None:
        """Give the line back."""
        await self._console.close()

"""The text console of a machine: a serial line through its management controller."""

from abc import ABC, abstractmethod


class SerialLine(ABC):
    """One open line. Whoever opened it closes it; the driver closes what is still open when it is left."""

    method: str = ""  # how it is spoken, as people call it: "Serial over LAN (IPMI 2.0)"
    speed: int | None = None  # bits per second; None where nobody tells
    mark: str = ""  # what ``clear_console`` needs should the process end without closing; no secret

    @property
    def available(self) -> bool:
        """Say whether characters reach the machine; some controllers take none while it is off."""
        return True

    @abstractmethod
    async def read(self) -> bytes:
        """Wait for what the machine says next; raises the ContactError with which the line ended."""

    @abstractmethod
    async def write(self, data: bytes) -> bool:
        """Send bytes as they are; False where too much waits to be sent already, and these were not taken."""

    @abstractmethod
    async def send_break(self) -> bool:
        """Send a break; False as ``write`` gives it."""

    async def resize(self, columns: int, rows: int) -> bool:
        """Tell the machine how large the screen is; False where the line cannot say it, as a serial one cannot."""
        return False

    @abstractmethod
    async def close(self) -> None:
        """Give the line back."""


class Console(ABC):
    """Capability ``console``."""

    @abstractmethod
    async def open_console(self, *, take: bool = False) -> SerialLine:
        """Open the line; ``take`` ends what another program has open first.

        Raises ``InUse`` where another program has it, Unsupported where it is switched off.
        """

    @abstractmethod
    async def clear_console(self, mark: str) -> None:
        """End what a process that died left open: the line, and whatever else ``mark`` names. All gone is well."""

"""The console of a fake device: a login prompt that takes any name, and a shell that says what it was told."""

import asyncio
from collections.abc import Iterator

from apps.drivers.contract import SerialLine
from apps.protocols.errors import DeviceError

ENTER, INTERRUPT, ERASE = b"\r\n", 0x03, (0x08, 0x7F)


class LoginPrompt:
    """What a machine says to what is typed: pure, byte by byte. Passwords are not echoed."""

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._line = b""
        self._asks = "name"
        self._user = b""

    def greeting(self) -> bytes:
        """Give what stands on the screen before anybody has typed."""
        return self._prompt()

    def typed(self, data: bytes) -> bytes:
        """Give what the machine says to this."""
        return b"".join(self._answers(data))

    def broken(self) -> bytes:
        """Give what it says to a break."""
        return b"\r\n[break]\r\n" + self._prompt()

    def _answers(self, data: bytes) -> Iterator[bytes]:
        for octet in data:
            if octet in ENTER:
                line, self._line = self._line, b""
                yield b"\r\n" + self._entered(line) + self._prompt()
            elif octet == INTERRUPT:
                self._line = b""
                yield b"^C\r\n" + self._prompt()
            elif octet in ERASE:
                self._line = self._line[:-1]
                yield b"" if self._asks == "password" else b"\b \b"
            else:
                self._line += bytes((octet,))
                yield b"" if self._asks == "password" else bytes((octet,))

    def _entered(self, line: bytes) -> bytes:
        if self._asks == "name":
            self._user = line
            self._asks = "password" if line else "name"
            return b""
        if self._asks == "password":
            self._asks = "command"
            return b""
        word, _, rest = line.partition(b" ")
        if word == b"exit":
            self._asks = "name"
            return b"\r\n"
        if word == b"echo":
            return rest + b"\r\n"
        return word + b": command not found\r\n" if word else b""

    def _prompt(self) -> bytes:
        return {
            "name": self._name + b" login: ",
            "password": b"Password: ",
            "command": b"[" + self._user + b"@" + self._name + b" ~]# ",
        }[self._asks]


class FakeLine(SerialLine):
    """The line of one contact."""

    method = "Fake console"
    speed = 115200
    mark = "fake"

    def __init__(self, prompt: LoginPrompt) -> None:
        self._prompt = prompt
        self._said: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._said.put_nowait(prompt.greeting())

    async def read(self) -> bytes:
        """Wait for what it says."""
        said = await self._said.get()
        if said is None:
            raise DeviceError("The console was closed")
        return said

    async def write(self, data: bytes) -> bool:
        """Type something."""
        if said := self._prompt.typed(data):
            self._said.put_nowait(said)
        return True

    async def send_break(self) -> bool:
        """Interrupt."""
        self._said.put_nowait(self._prompt.broken())
        return True

    async def close(self) -> None:
        """End it."""
        self._said.put_nowait(None)

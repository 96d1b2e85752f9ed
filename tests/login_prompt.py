"""A machine's serial console over TCP, as ipmi_sim connects to it: a login prompt that remembers what was typed."""

import contextlib
import socket
import threading
from collections.abc import Iterator

from apps.drivers.fake.console import LoginPrompt


class SerialConsole:
    """Listens for one simulated controller at a time; start it before the simulator, which looks for it at once."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.typed = b""
        self._connection: socket.socket | None = None
        self._here = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def say(self, data: bytes) -> None:
        """Have the machine say something by itself."""
        assert self._here.wait(30), "nobody listens to the serial line"
        assert self._connection is not None
        self._connection.sendall(data)

    def close(self) -> None:
        """End it."""
        self._listener.close()
        if self._connection is not None:
            self._connection.close()

    def _serve(self) -> None:
        while True:
            try:
                self._connection, _ = self._listener.accept()
            except OSError:
                return
            self._here.set()
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(OSError):
                self._talk(self._connection)

    def _talk(self, connection: socket.socket) -> None:
        prompt = LoginPrompt("server-1")
        connection.sendall(prompt.greeting())
        while data := connection.recv(4096):
            self.typed += data
            connection.sendall(prompt.typed(data))


@contextlib.contextmanager
def serial_console() -> Iterator[SerialConsole]:
    """A console, ended at the end."""
    console = SerialConsole()
    try:
        yield console
    finally:
        console.close()

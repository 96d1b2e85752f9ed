"""How other processes speak with the supervisor: one question and one answer, over a socket in the data folder.

The socket is its owner's alone, like the folder. It needs neither broker nor database, so the state of the processes is
known when those are down. A path in the data folder may be longer than the kernel allows for a socket: both sides go
through a descriptor of the folder instead.
"""

import contextlib
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

NAME = "up.sock"
LARGEST = 128 * 1024  # octets of a question or an answer
AT_ONCE = 16  # questions that are answered before the supervisor looks after its processes again
PATIENCE = 3.0  # seconds that an answer is waited for

Message = Mapping[str, Any]


class NotRunning(Exception):
    """No supervisor answers on this data folder."""


class Control:
    """The supervisor's side."""

    def __init__(self, folder: Path, owner: tuple[int, int] | None, answer: Callable[[Message], Message]) -> None:
        """``owner``: the user that may ask besides us; ``answer`` must be quick and raise nothing."""
        self._path = folder / NAME
        self._answer = answer
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)  # the owner's alone from the first moment on
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST)
        with _short(folder) as short:
            self.socket.bind(f"{short}/{NAME}")
        os.umask(before)
        if owner:  # whose folder it is may put a link there: it is not followed
            os.chown(self._path, *owner, follow_symlinks=False)

    def receive(self) -> None:
        """Answer what was asked; who does not wait for his answer gets none."""
        for _ in range(AT_ONCE):
            try:
                data, peer = self.socket.recvfrom(LARGEST)
            except OSError:
                return
            try:
                asked = json.loads(data)
            except (ValueError, RecursionError):  # which thousands of brackets within each other raise
                continue
            if not peer or not isinstance(asked, dict):
                continue
            with contextlib.suppress(OSError):
                self.socket.sendto(json.dumps(self._answer(asked)).encode(), peer)

    def close(self) -> None:
        """Answer nobody any more."""
        self.socket.close()
        self._path.unlink(missing_ok=True)


def ask(folder: Path, order: str, timeout: float = PATIENCE, **about: Any) -> dict[str, Any]:
    """Ask the supervisor of a data folder and give its answer. Raises NotRunning."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        asking.settimeout(timeout)
        asking.bind("")  # the kernel gives an address for the answer
        try:
            with _short(folder) as short:
                asking.connect(f"{short}/{NAME}")
            asking.send(json.dumps({"order": order, **about}).encode())
            answer: dict[str, Any] = json.loads(asking.recv(LARGEST))
        except (OSError, ValueError) as error:
            raise NotRunning(str(error)) from error
    return answer


@contextlib.contextmanager
def _short(folder: Path) -> Iterator[str]:
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)

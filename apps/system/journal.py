"""What the processes say, kept beside the terminal in files of bounded size, for whoever looks afterwards."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

LARGEST = 5 * 2**20  # bytes of one file
KEPT = 4  # older files beside the one that is written
NAME = "portal.log"
TROUBLE = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|\| Traceback|\| ended \(")
CONTINUED = re.compile(r"^\S+ +\| (\s|Traceback|[\w.]+(Error|Exception|Exit|Interrupt)\b|During handling|The above)")


class Journal:
    """The files of one data folder. Only the supervisor writes; a full disk costs lines, never the portal."""

    def __init__(self, folder: Path, owner: tuple[int, int] | None = None) -> None:
        """``owner``: the user and group that the files belong to, where that is not who writes them."""
        self.folder = folder / "logs"
        self._owner = owner
        self._descriptor = -1
        self._size = 0

    def write(self, line: str) -> None:
        """Add one line with its time."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        data = f"{moment} {line}\n".encode(errors="replace")
        try:
            if self._descriptor < 0 or self._size + len(data) > LARGEST:
                self._open(len(data))
            self._size += os.write(self._descriptor, data)
        except OSError:
            self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self, wanted: int) -> None:
        """Open the file anew; a full one is moved away first. No link is followed: root may write for another user."""
        self.close()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        path = self.folder / NAME
        if path.exists() and path.stat().st_size + wanted > LARGEST:
            for number in range(KEPT, 0, -1):
                older = self._numbered(number - 1)
                if older.exists():
                    older.replace(self._numbered(number))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._size = os.fstat(self._descriptor).st_size
        if self._owner:
            os.chown(self.folder, *self._owner, follow_symlinks=False)
            os.fchown(self._descriptor, *self._owner)

    def _numbered(self, number: int) -> Path:
        return self.folder / (f"{NAME}.{number}" if number else NAME)

    # --- reading ------------------------------------------------------------------------------------------------
    def lines(self) -> Iterator[str]:
        """Give every line that is kept, the oldest first."""
        for number in range(KEPT, -1, -1):
            try:
                with self._numbered(number).open(encoding="utf-8", errors="replace") as file:
                    yield from (line.rstrip("\n") for line in file)
            except OSError:
                continue

    def trouble(self) -> Iterator[str]:
        """Give the lines that tell of trouble, with the traces that follow them."""
        shown = False
        for line in self.lines():
            said = line.partition(" ")[2]
            shown = bool(TROUBLE.search(said)) or (shown and bool(CONTINUED.match(said)))
            if shown:
                yield line

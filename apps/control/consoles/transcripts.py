"""The transcripts: what machines said on their consoles, one file each, readable by the portal alone.

What is typed is not written, except as far as the machine echoes it: passwords are not echoed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

PIECE = 64 * 1024


def folder() -> Path:
    """Give the folder of all transcripts."""
    return Path(settings.DATA_DIR) / "consoles"


def path_of(session_id: int) -> Path:
    """Give the file of one console."""
    return folder() / f"{session_id}.log"


def kept() -> list[int]:
    """Give the consoles of which there is one."""
    where = folder()
    return [int(one.stem) for one in where.glob("*.log") if one.stem.isdigit()] if where.is_dir() else []


def size(session_id: int) -> int:
    """Give the bytes of one; 0 where there is none."""
    try:
        return path_of(session_id).stat().st_size
    except FileNotFoundError:
        return 0


def remove(session_id: int) -> None:
    """Remove one."""
    path_of(session_id).unlink(missing_ok=True)


def read(session_id: int) -> Iterator[bytes]:
    """Give one in pieces; nothing where there is none."""
    try:
        with path_of(session_id).open("rb") as stored:
            while piece := stored.read(PIECE):
                yield piece
    except FileNotFoundError:
        return


class Transcript:
    """One that is being written, up to a size; nothing is written beyond it."""

    def __init__(self, session_id: int, most: int) -> None:
        self._most = most
        self.size = 0
        self._descriptor: int | None = None
        if most:
            where = folder()
            where.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(path_of(session_id), flags, 0o600)

    @property
    def is_full(self) -> bool:
        """Say whether nothing more is written."""
        return bool(self._most) and self.size >= self._most

    def write(self, data: bytes) -> None:
        """Add what came; a disk that is full ends the transcript and not the console."""
        if self._descriptor is None or self.is_full:
            return
        piece = data[: self._most - self.size]
        try:
            self.size += os.write(self._descriptor, piece)
        except OSError:
            self.close()

    def close(self) -> None:
        """End it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

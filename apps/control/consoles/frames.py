"""What the web process and the console process say to each other on the Unix socket: JSON, or bytes as they are.

A frame is its length in four bytes, one byte of kind, and the content.
"""

import asyncio
import json
import struct
from pathlib import Path
from typing import Any

from django.conf import settings

HEAD = struct.Struct("!IB")
MESSAGE, DATA = 0x4A, 0x44  # "J", "D"
LARGEST = 1024 * 1024

Frame = dict[str, Any] | bytes


class Garbled(Exception):
    """What came is not a frame."""


def path() -> Path:
    """Give the Unix socket."""
    return Path(settings.CONSOLE_SOCKET)


def pack(frame: Frame) -> bytes:
    """Give a frame as it goes over the socket."""
    if isinstance(frame, bytes):
        return HEAD.pack(len(frame), DATA) + frame
    content = json.dumps(frame).encode()
    return HEAD.pack(len(content), MESSAGE) + content


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """Read the next frame; None at the end. Raises Garbled."""
    try:
        length, kind = HEAD.unpack(await reader.readexactly(HEAD.size))
        if length > LARGEST or kind not in (MESSAGE, DATA):
            raise Garbled
        content = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    if kind == DATA:
        return content
    try:
        message = json.loads(content)
    except ValueError as error:
        raise Garbled from error
    if not isinstance(message, dict):
        raise Garbled
    return message

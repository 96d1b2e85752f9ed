"""Packs numbers into bytes for the database, and back.

Format: one byte that says what follows (1: float32, 2: float64), then zlib of the little-endian numbers with their
bytes sorted by significance (all first bytes, all second bytes, …), which compresses well because neighbours are alike.
NaN is "not measured". A float32 comes back exactly as it was put in; what does not fit into one is "not measured".
"""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]

_TYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 2: np.dtype("<f8")}
_LEVEL = 1  # higher levels cost four times as much and save a twentieth


def pack(values: Sequence[float | None] | Numbers) -> bytes:
    """Pack values as float32, for history."""
    return _pack(values, 1)


def pack_exactly(values: Sequence[float | None] | Numbers) -> bytes:
    """Pack values as float64, for what is shown as the present value."""
    return _pack(values, 2)


def _pack(values: Sequence[float | None] | Numbers, kind: int) -> bytes:
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = np.array(values, dtype=_TYPES[kind])
    numbers[np.isinf(numbers)] = np.nan
    planes = numbers.view(np.uint8).reshape(-1, numbers.itemsize).T.tobytes()
    return bytes((kind,)) + zlib.compress(planes, _LEVEL)


def unpack(packed: bytes | memoryview) -> Numbers:
    """Give the packed numbers; raises ValueError when it is nothing that ``pack`` wrote."""
    packed = bytes(packed)
    try:
        dtype = _TYPES[packed[0]]
        planes = np.frombuffer(zlib.decompress(packed[1:]), dtype=np.uint8)
    except (IndexError, KeyError, zlib.error) as error:
        raise ValueError("not a packed row") from error
    return np.ascontiguousarray(planes.reshape(dtype.itemsize, -1).T).reshape(-1).view(dtype)


def shortest(value: float) -> float | None:
    """Give a float32 as the shortest decimal number that means it; None for "not measured"."""
    return None if value != value else float(str(np.float32(value)))

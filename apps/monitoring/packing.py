"""Packs numbers into bytes for the database, and back.

Format: one byte that says what follows (1: float32, 2: float64, 3: whole numbers of 64 bits), then zlib of the
little-endian numbers with their bytes sorted by significance (all first bytes, all second bytes, …), which compresses
well because neighbours are alike. NaN is "not measured". A float32 comes back exactly as it was put in; what does not
fit into one is "not measured".
"""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]
Ids = NDArray[np.int64]

_TYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 2: np.dtype("<f8"), 3: np.dtype("<i8")}
_IDS = 3
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
    return _compressed(numbers, kind)


def pack_ids(ids: Sequence[int] | Ids) -> bytes:
    """Pack the numbers of rows."""
    return _compressed(np.array(ids, dtype=_TYPES[_IDS]), _IDS)


def _compressed(numbers: NDArray[Any], kind: int) -> bytes:
    planes = numbers.view(np.uint8).reshape(-1, numbers.itemsize).T.tobytes()
    return bytes((kind,)) + zlib.compress(planes, _LEVEL)


def unpack(packed: bytes | memoryview) -> Numbers:
    """Give the packed numbers; raises ValueError when it is nothing that ``pack`` wrote."""
    return _unpacked(bytes(packed))


def unpack_ids(packed: bytes | memoryview) -> Ids:
    """Give the packed numbers of rows; raises ValueError when it is nothing that ``pack_ids`` wrote."""
    found = _unpacked(bytes(packed))
    if found.dtype != _TYPES[_IDS]:
        raise ValueError("not a packed row of ids")
    return found


def _unpacked(packed: bytes) -> NDArray[Any]:
    try:
        dtype = _TYPES[packed[0]]
        planes = np.frombuffer(zlib.decompress(packed[1:]), dtype=np.uint8)
    except (IndexError, KeyError, zlib.error) as error:
        raise ValueError("not a packed row") from error
    return np.ascontiguousarray(planes.reshape(dtype.itemsize, -1).T).reshape(-1).view(dtype)


def shortest(value: float) -> float | None:
    """Give a float32 as the shortest decimal number that means it; None for "not measured"."""
    return None if value != value else float(str(np.float32(value)))

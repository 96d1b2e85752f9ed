"""What the parts of a simulated machine say of themselves (Platform Management FRU Information Storage 1.0)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from apps.simulators.bmc.machine import Machine

_EPOCH = datetime(1996, 1, 1, tzinfo=UTC)
_ENGLISH = 25
_RACK_MOUNT = 23
_MADE = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def describe(number: int, machine: Machine) -> bytes | None:
    """Give the whole area of a part; None where there is no such part."""
    serial, maker, model = machine.serial, machine.product.manufacturer, machine.product.model
    match number:
        case 0:
            return area(
                chassis=("CH-2U-08", f"C{serial}"),
                board=(maker, "Main board", f"B{serial}", "MB-2S-DDR5", ""),
                product=(maker, model, "N8100-3021Y", "1.0", serial, machine.asset, ""),
            )
        case 1 | 2:
            product = ("Delta", "Power supply 800 W", "DPS-800AB-41", "S1F", f"P{serial}{number}", "", "")
            return area(product=product)
        case 3 | 4:
            return area(product=("Samsung", "DDR5 RDIMM 32 GiB", "M321R4GA0BB0", "", f"D{serial}{number}", "", ""))
        case 5:
            board = ("Broadcom", "MegaRAID 9560-8i", f"R{serial}", "05-50077-01", "")
            return area(board=board)
    return None


def area(*, chassis: Sequence[str] = (), board: Sequence[str] = (), product: Sequence[str] = ()) -> bytes:
    """Put the areas behind their common header; one without fields is left out."""
    minutes = int((_MADE - _EPOCH).total_seconds()) // 60
    parts = (
        _fields(bytes((_RACK_MOUNT,)), chassis) if chassis else b"",
        _fields(bytes((_ENGLISH,)) + minutes.to_bytes(3, "little"), board) if board else b"",
        _fields(bytes((_ENGLISH,)), product) if product else b"",
    )
    places, at = [], 8
    for part in parts:
        places.append(at // 8 if part else 0)
        at += len(part)
    header = bytes((1, 0, *places, 0, 0))
    return header + _checksum(header) + b"".join(parts)


def _fields(first: bytes, texts: Iterable[str]) -> bytes:
    told = b"".join(bytes((0xC0 | len(text),)) + text.encode("latin-1") for text in texts)
    body = first + told + b"\xc1"
    length = (len(body) + 3 + 7) // 8
    whole = (bytes((1, length)) + body).ljust(length * 8 - 1, b"\0")
    return whole + _checksum(whole)


def _checksum(data: bytes) -> bytes:
    return bytes((-sum(data) & 0xFF,))

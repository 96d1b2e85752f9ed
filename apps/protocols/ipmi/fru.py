"""Reads what the parts of a machine say of themselves (Platform Management FRU Information Storage Definition 1.0)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from apps.protocols.ipmi.records import unpacked
from apps.protocols.ipmi.session import NODE_BUSY, OK, STORAGE, TOO_LONG, IpmiSession

_GET_AREA, _READ = 0x10, 0x11
_BUSY = frozenset({NODE_BUSY, 0x81})  # IPMI 2.0 §34.2: the part is being read or written by another one
_CHUNK, _SMALLEST_CHUNK = 128, 8
_AT_MOST = 4096  # bytes: what stands behind is of makers' own making
_HEADER = 8
_EPOCH = datetime(1996, 1, 1, tzinfo=UTC)
_END_OF_FIELDS = 0xC1
_ENGLISH = (0, 25)
_BCD = "0123456789 -.???"
_CHASSIS_FIELDS = ("part_number", "serial_number")
_BOARD_FIELDS = ("manufacturer", "product", "serial_number", "part_number", "file")
_PRODUCT_FIELDS = ("manufacturer", "product", "part_number", "version", "serial_number", "asset_tag", "file")


@dataclass(frozen=True, slots=True)
class Fru:
    """What one part says: fields by name, empty ones left out, for chassis, board and product."""

    chassis: dict[str, str] = field(default_factory=dict)
    board: dict[str, str] = field(default_factory=dict)
    product: dict[str, str] = field(default_factory=dict)
    made_at: datetime | None = None
    whole: bool = True  # False: it was busy just now, and has more to say

    def first(self, name: str) -> str | None:
        """Give a field of the product, else of the board."""
        return self.product.get(name) or self.board.get(name)


async def read_fru(session: IpmiSession, number: int) -> Fru | None:
    """Read a part's own words; None where it has none, or cannot give them now."""
    area = await session.ask(STORAGE, _GET_AREA, (number,))
    if area.code in _BUSY:
        return Fru(whole=False)
    if area.code != OK or len(area.data) < 3:
        return None
    by_words = area.data[2] & 0x01
    size = min(int.from_bytes(area.data[:2], "little"), _AT_MOST)
    data, chunk = b"", _CHUNK
    while len(data) < min(size, _told_size(data)):
        offset, count = len(data), min(chunk, size - len(data))
        if by_words:
            offset, count = offset // 2, max(1, count // 2)
        answer = await session.ask(STORAGE, _READ, (number, *offset.to_bytes(2, "little"), count))
        if answer.code in TOO_LONG and chunk > _SMALLEST_CHUNK:
            chunk = max(_SMALLEST_CHUNK, chunk // 2)
            continue
        if answer.code in _BUSY:
            return replace(fru(data) or Fru(), whole=False)
        if answer.code != OK or len(answer.data) < 2:
            break
        data += answer.data[1:]
    return fru(data)


def _told_size(data: bytes) -> int:
    """Give how far to read by what has been read: to the end of the areas that are decoded, each of which tells it."""
    if len(data) < _HEADER:
        return _HEADER
    if data[0] & 0x0F != 1:
        return 0  # nothing that we understand
    places = [8 * number for number in data[2:5] if number]
    if any(place + 1 >= len(data) for place in places):
        return max(places) + 2
    lengths = [data[place + 1] for place in places]
    if not all(lengths):
        return _AT_MOST  # the maker left out how long it is
    return max((place + 8 * length for place, length in zip(places, lengths, strict=True)), default=_HEADER)


def fru(data: bytes) -> Fru | None:
    """Decode the areas; None when they are none. What is cut short gives what came before."""
    if len(data) < _HEADER or data[0] & 0x0F != 1:
        return None
    chassis, board, product = (data[place] * 8 for place in (2, 3, 4))
    made_at = None
    if board and len(data) >= board + 6 and (minutes := int.from_bytes(data[board + 3 : board + 6], "little")):
        made_at = _EPOCH + timedelta(minutes=minutes)
    return Fru(
        chassis=_fields(data, chassis + 3, 0, _CHASSIS_FIELDS) if chassis else {},
        board=_fields(data, board + 6, _language(data, board), _BOARD_FIELDS) if board else {},
        product=_fields(data, product + 3, _language(data, product), _PRODUCT_FIELDS) if product else {},
        made_at=made_at,
    )


def _language(data: bytes, area: int) -> int:
    return data[area + 2] if area + 2 < len(data) else 0


def _fields(data: bytes, place: int, language: int, names: tuple[str, ...]) -> dict[str, str]:
    return {name: text for name, text in zip(names, _texts(data, place, language), strict=False) if text}


def _texts(data: bytes, place: int, language: int) -> Iterator[str]:
    while place < len(data) and data[place] != _END_OF_FIELDS:
        kind, length = data[place] >> 6, data[place] & 0x3F
        yield _text(kind, data[place + 1 : place + 1 + length], language)
        place += 1 + length


def _text(kind: int, raw: bytes, language: int) -> str:
    if kind == 0:
        return raw.hex()
    if kind == 1:
        return "".join(_BCD[byte >> 4] + _BCD[byte & 0x0F] for byte in raw).strip()
    if kind == 2:
        return unpacked(raw).strip()
    encoding = "latin-1" if language in _ENGLISH else "utf-16le"
    text = raw.decode(encoding, "replace")
    return "".join(character for character in text if character.isprintable()).rstrip("\u00ff\u00fe ").strip()

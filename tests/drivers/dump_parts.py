"""The parts of a large dump that matter, cut out once in a process and kept while it runs."""

import bz2
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

_BLOCK = 1 << 20  # octets looked at together
_ARCS = 7  # so many numbers name an enterprise


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="esm-dumps-")


@cache
def part_of(path: Path, below: tuple[str, ...]) -> Path:
    """Give a dump with only those lines of another that lie below some names, and the line behind each such part.

    So whoever walks the part comes to the same end as in the whole.
    """
    wanted = tuple(f"{dot}{oid}.".encode() for oid in below for dot in ("", "."))
    inside = False
    with NamedTemporaryFile(dir=_folder().name, suffix=".snmprec", delete=False) as part:
        for block in _blocks(path):
            if not inside and _is_foreign(block, wanted):
                continue
            for row in block.splitlines(keepends=True):
                before, inside = inside, row.startswith(wanted)
                if inside or before:
                    part.write(row)
    return Path(part.name)


def _blocks(path: Path) -> Iterator[bytes]:
    """Give a dump's lines, many at once."""
    with bz2.open(path) if path.suffix == ".bz2" else path.open("rb") as file:
        rest = b""
        while data := file.read(_BLOCK):
            whole, end, rest = (rest + data).rpartition(b"\n")
            yield whole + end
        yield rest


def _is_foreign(block: bytes, wanted: tuple[bytes, ...]) -> bool:
    """Say whether all lines are of one enterprise of which nothing is wanted: most of a large dump."""
    enterprise = b".".join(block.split(b".", _ARCS)[:_ARCS]) + b"."
    if any(enterprise.startswith(one) or one.startswith(enterprise) for one in wanted):
        return False
    return block.startswith(enterprise) and block.count(b"\n" + enterprise) >= block.count(b"\n") - 1

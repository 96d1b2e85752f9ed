"""The simulated fleet of the measurements: a compiled responder with a table that all agents share."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from tests.bench.portals import Failed

HERE = Path(__file__).parent
PORTS = 24
COLUMNS = {  # ifTable columns: the name and state, and what is counted
    2: (4, lambda port: f"eth{port}".encode().hex()),
    5: (66, lambda port: "1000000000"),
    7: (2, lambda port: "1"),
    8: (2, lambda port: "1"),
    10: (65, lambda port: str(port * 100_000)),
    14: (65, lambda port: "0"),
    16: (65, lambda port: str(port * 50_000)),
    20: (65, lambda port: "0"),
}
SCALARS = [
    ("1.3.6.1.2.1.1.1.0", 4, b"Linux bench 6.1.0 x86_64".hex()),
    ("1.3.6.1.2.1.1.2.0", 6, "1.3.6.1.4.1.8072.3.2.10"),
    ("1.3.6.1.2.1.1.3.0", 67, "123456"),
    ("1.3.6.1.2.1.1.4.0", 4, b"operations".hex()),
    ("1.3.6.1.2.1.1.5.0", 4, b"bench".hex()),
    ("1.3.6.1.2.1.1.6.0", 4, b"rack 1".hex()),
    ("1.3.6.1.2.1.2.1.0", 2, str(PORTS)),
    ("1.3.6.1.2.1.25.1.1.0", 67, "123456"),
    ("1.3.6.1.2.1.25.1.5.0", 66, "2"),
    ("1.3.6.1.2.1.25.1.6.0", 66, "180"),
]
VALUES = len(SCALARS) + PORTS * len(COLUMNS)
FIRST = "127.1.0.1"


def address(number: int) -> str:
    """Give the address of the agent of that number, from 0."""
    return address_after(FIRST, number)


def address_after(first: str, number: int) -> str:
    """Give the address that many places after another one."""
    return str(IPv4Address(first) + number)


def table() -> str:
    """Write what every agent knows, one object a line, in ascending order."""
    rows = list(SCALARS)
    for column, (tag, value) in COLUMNS.items():
        rows += [(f"1.3.6.1.2.1.2.2.1.{column}.{port}", tag, value(port)) for port in range(1, PORTS + 1)]
    rows.sort(key=lambda row: [int(arc) for arc in row[0].split(".")])
    return "".join(f"{oid}|{tag}|{value}\n" for oid, tag, value in rows)


def compiled(source: str, folder: Path) -> Path:
    """Compile one of the C programs of this folder."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise Failed("a C compiler is missing: install the Debian package gcc")
    program = folder / source.removesuffix(".c")
    subprocess.run([compiler, "-O2", "-o", str(program), str(HERE / source)], check=True)
    return program


@contextmanager
def running(folder: Path, count: int, silent: int, port: int) -> Iterator[None]:
    """Run a fleet; the last ``silent`` agents take requests and never answer."""
    (folder / "table").write_text(table())
    command = [str(compiled("responder.c", folder)), str(folder / "table"), FIRST, str(count), str(silent), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        if process.stdout.readline().strip() != "ready":
            raise Failed("the simulated fleet does not start")
        try:
            yield
        finally:
            process.terminate()

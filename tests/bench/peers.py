"""The same agents read by what others wrote: Debian's prometheus-snmp-exporter and net-snmp's snmpbulkwalk."""

import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench import fleet, usage
from tests.bench.portals import Failed
from tests.e2e.portal import free_tcp_port
from tests.peers import program

WALKED = 100  # agents that snmpbulkwalk reads; its figure is scaled to the whole fleet


def exporter(folder: Path, count: int, port: int) -> float:
    """Give the CPU seconds of the exporter for one round over all agents; nothing is stored."""
    configuration = folder / "snmp.yml"
    configuration.write_text(_exporter_configuration())
    listen = free_tcp_port()
    command = [
        program("prometheus-snmp-exporter", "prometheus-snmp-exporter"),
        f"--config.file={configuration}",
        f"--web.listen-address=127.0.0.1:{listen}",
        "--log.level=error",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{listen}"
        _wait_for(url)

        def scrape(number: int) -> int:
            target = f"{url}/snmp?module=bench&target={fleet.address(number)}:{port}"
            with urllib.request.urlopen(target, timeout=20) as answer:
                return answer.read().count(b"\nif")

        with ThreadPoolExecutor(20) as pool:
            list(pool.map(scrape, range(20)))
            before = usage.cpu_seconds(process.pid)
            rows = sum(pool.map(scrape, range(count)))
            spent = usage.cpu_seconds(process.pid) - before
        if rows < count * fleet.PORTS * 5:
            raise Failed(f"the exporter read only {rows} values")
        return spent
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str) -> None:
    for _attempt in range(200):
        try:
            urllib.request.urlopen(url, timeout=2).read()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Failed("prometheus-snmp-exporter does not start")


def _exporter_configuration() -> str:
    kinds = {4: "DisplayString", 65: "counter", 66: "gauge", 2: "gauge", 6: "OctetString", 67: "gauge"}
    lines = ["bench:", "  version: 2", "  max_repetitions: 25", "  retries: 1", "  timeout: 2s"]
    lines += ["  auth:", "    community: public", "  walk:"]
    lines += [f"    - 1.3.6.1.2.1.2.2.1.{column}" for column in fleet.COLUMNS]
    lines += ["  get:"] + [f"    - {oid}" for oid, _tag, _value in fleet.SCALARS] + ["  metrics:"]
    for number, (oid, tag, _value) in enumerate(fleet.SCALARS):
        lines += [f"    - name: scalar{number}", f"      oid: {oid.removesuffix('.0')}", f"      type: {kinds[tag]}"]
    for column, (tag, _value) in fleet.COLUMNS.items():
        lines += [f"    - name: if{column}", f"      oid: 1.3.6.1.2.1.2.2.1.{column}", f"      type: {kinds[tag]}"]
        lines += ["      indexes:", "        - labelname: ifIndex", "          type: gauge"]
    return "\n".join(lines) + "\n"


def bulk_walk(count: int, port: int) -> float:
    """Give the CPU seconds of one snmpget and one snmpbulkwalk an agent, for the whole fleet."""
    get, walk = program("snmpget", "snmp"), program("snmpbulkwalk", "snmp")
    scalars = [oid for oid, _tag, _value in fleet.SCALARS]
    before = usage.children_seconds()
    for number in range(WALKED):
        target = f"{fleet.address(number)}:{port}"
        login = ["-v2c", "-c", "public", "-On", target]
        subprocess.run([get, *login, *scalars], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([walk, "-Cr25", *login, "1.3.6.1.2.1.2.2"], check=True, stdout=subprocess.DEVNULL)
    return (usage.children_seconds() - before) * count / WALKED

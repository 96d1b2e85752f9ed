"""Asks Redfish services what a list says and reads the answers as JSON, by nothing but aiohttp.

``python -m tests.bench.plain_redfish`` reads a job (JSON) from its standard input: addresses, port, user name,
password, how many services at once, and methods with paths in their order. It prints the processor seconds of one
round, and how many resources it got. A first round, in which the program gets warm, does not count.
"""

import asyncio
import json
import resource
import ssl
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp


async def ask(address: str, job: dict[str, Any], context: ssl.SSLContext) -> int:
    """Ask one service over one connection; gives how many answers were resources."""
    base, login = f"https://{address}:{job['port']}", {"UserName": job["username"], "Password": job["password"]}
    headers, found = {"Accept": "application/json"}, 0
    sessions: list[str] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=1)) as http:
        for method, path in job["requests"]:
            place = sessions.pop(0) if method == "DELETE" else path
            body = login if method == "POST" else None
            async with http.request(method, base + place, json=body, headers=headers) as answer:
                answer.raise_for_status()
                found += isinstance(await answer.json(), dict)
                if method == "POST":
                    headers["X-Auth-Token"] = answer.headers["X-Auth-Token"]
                    sessions.append(urlsplit(answer.headers["Location"]).path)
    return found


async def ask_all(job: dict[str, Any]) -> int:
    """Ask all, so many at once."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    waiting: Iterator[str] = iter(job["addresses"])

    async def take_turns() -> int:
        return sum([await ask(address, job, context) for address in waiting])

    return sum(await asyncio.gather(*(take_turns() for _ in range(job["at_once"]))))


def seconds() -> float:
    """Give the processor seconds of this process so far."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def main() -> None:
    """Do the job."""
    job = json.load(sys.stdin)
    asyncio.run(ask_all(job))
    before = seconds()
    found = asyncio.run(ask_all(job))
    print(seconds() - before, found)


if __name__ == "__main__":
    main()

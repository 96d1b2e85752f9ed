"""Asks the console process something from outside of any loop: to close a console."""

import asyncio
from dataclasses import asdict

from apps.control.consoles import frames
from apps.control.services.consoles import Person

WITHIN = 10.0  # seconds


class Away(Exception):
    """The console process does not answer."""


def close(interface_id: int, person: Person) -> bool:
    """Have a console closed; False when it was not open any more. Raises Away."""
    return asyncio.run(_close(interface_id, person))


async def _close(interface_id: int, person: Person) -> bool:
    try:
        async with asyncio.timeout(WITHIN):
            reader, writer = await asyncio.open_unix_connection(frames.path())
            try:
                message = {"do": "close", "interface": interface_id, "person": asdict(person)}
                writer.write(frames.pack(message))
                answer = await frames.read(reader)
            finally:
                writer.close()
    except (OSError, TimeoutError, frames.Garbled) as error:
        raise Away from error
    if not isinstance(answer, dict):
        raise Away
    return bool(answer.get("done"))

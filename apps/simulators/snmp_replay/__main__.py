"""``python -m apps.simulators.snmp_replay 127.0.0.1:16161=dump.snmprec …`` answers from dumps until it is stopped."""

import argparse
import asyncio
import signal
from dataclasses import fields
from pathlib import Path

from apps.protocols.snmp.ber import ErrorStatus
from apps.simulators.snmp_replay.agent import Behaviour, serve
from apps.simulators.snmp_replay.recording import Recording


def _behaviour(settings: list[str]) -> Behaviour:
    """Turn ``name`` or ``name=value`` words into a behaviour; raises ``ValueError`` for an unknown one."""
    kinds = {field.name: field.type for field in fields(Behaviour)}
    behaviour = Behaviour()
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in kinds:
            raise ValueError(f"{name} is none of {', '.join(kinds)}")
        default = getattr(behaviour, name)
        if isinstance(default, bool):
            setattr(behaviour, name, True)
        elif isinstance(default, ErrorStatus):
            setattr(behaviour, name, ErrorStatus[text])
        else:
            setattr(behaviour, name, type(default)(text))
    return behaviour


async def _run(agents: list[str], community: str, behaviour: Behaviour) -> None:
    recordings: dict[str, Recording] = {}
    running = []
    for agent in agents:
        place, _, path = agent.partition("=")
        address, _, port = place.rpartition(":")
        if path not in recordings:
            recordings[path] = Recording.load(Path(path))
        running.append(
            await serve(recordings[path], address.strip("[]"), int(port), community=community, behaviour=behaviour)
        )
        print(f"{running[-1].address} port {running[-1].port}: {len(recordings[path])} values", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    for one in running:
        one.close()


def main() -> None:
    """Read the command line and answer until interrupted."""
    parser = argparse.ArgumentParser(prog="snmp_replay", description=__doc__)
    parser.add_argument("agents", nargs="+", metavar="ADDRESS:PORT=DUMP", help="where to answer, and from which dump")
    parser.add_argument("--community", default="public")
    parser.add_argument("--behave", action="append", default=[], metavar="NAME[=VALUE]", help="a fault to show")
    options = parser.parse_args()
    try:
        behaviour = _behaviour(options.behave)
    except (ValueError, KeyError) as error:
        parser.error(str(error))
    asyncio.run(_run(options.agents, options.community, behaviour))


if __name__ == "__main__":
    main()

"""Four idle processes under the real supervisor, for tests that kill them and order them about."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from apps.system import chosen, pulses
from apps.system.control import Control
from apps.system.instance import Instance
from apps.system.processes import Port, ProcessSpec, Pulse
from apps.system.sockets import Sockets
from apps.system.steering import Steering
from apps.system.supervisor import Supervisor

FOLDER = Path(sys.argv[1])
SLEEP = (sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)")
PORT = Port("letters", "tcp", 0, "SMALL_PORT", "SMALL_FDS", switch="letters")


def with_a_child_of_its_own() -> None:
    """Run like a worker with a pool process that would not end by itself."""
    grandchild = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(600)"])
    (FOLDER / "grandchild.new").write_text(str(grandchild.pid))
    (FOLDER / "grandchild.new").rename(FOLDER / "grandchild")  # whoever sees it can read it
    time.sleep(600)


def stubborn() -> None:
    """Run like a process that does not hear the polite signal."""
    import signal

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (FOLDER / "stubborn").touch()
    time.sleep(600)


def answer_once() -> None:
    """Take one connection, then do nothing any more."""
    with socket.socket(fileno=int(os.environ["SMALL_FDS"])) as listening:
        listening.setblocking(True)
        listening.accept()[0].close()
        time.sleep(600)


def prepare() -> None:
    """Prepare, or fail when the test wants so."""
    if (FOLDER / "fail").exists():
        sys.exit("the test wants this to fail")


def specs() -> list[ProcessSpec]:
    """Give the processes."""
    web = stubborn if "stubborn" in sys.argv else lambda: time.sleep(600)
    made = [
        ProcessSpec("web", ("web",), run=web, needs=("base",)),
        ProcessSpec("worker", ("worker",), run=with_a_child_of_its_own, needs=("base", "prepare")),
        ProcessSpec("prepare", ("prepare",), run=prepare, once=True, foreground=True),
        ProcessSpec("base", SLEEP, ready=lambda: not (FOLDER / "hold").exists()),
    ]
    if "letters" in sys.argv:
        made.append(ProcessSpec("letters", ("letters",), run=answer_once, needs=("base",), ports=(PORT,)))
    return made


def start(history: dict) -> tuple[bool, dict, int]:
    """Run until told to stop; say whether everything is to be started anew, and what is known by then."""
    instance, sockets = Instance(FOLDER), Sockets(specs(), ["127.0.0.1"])
    sockets.open_all(chosen.read(FOLDER).off)
    made = specs()
    if "silent" in sys.argv:
        pulses.ASKED_EVERY = 0.1
        address = ("127.0.0.1", sockets.numbers["SMALL_PORT"])
        made = [replace(each, pulse=Pulse(address, b"?")) if each.ports else each for each in made]
    steering = Steering(FOLDER, sockets, lambda text: print(text, flush=True))
    control = Control(FOLDER, None, steering.answer)
    supervisor = Supervisor(
        made,
        descriptors=sockets.descriptors(),
        say=lambda text: print(text, flush=True),
        changed=lambda processes: instance.write(
            [each.published() for each in processes if not each.spec.once], sockets.numbers
        ),
        each_second=steering.follow,
        control=control,
    )
    steering.take_over(supervisor, history)
    code = supervisor.run()
    control.close()
    return supervisor.again, steering.history(), code


def main() -> int:
    """Run until told to stop."""
    again, history = True, {}
    while again:
        again, history, code = start(history)
    return code


if __name__ == "__main__":
    sys.exit(main())

"""Four idle processes under the real supervisor, for tests that kill them."""

import subprocess
import sys
import time
from pathlib import Path

from apps.system.instance import Instance, ProcessState
from apps.system.processes import ProcessSpec
from apps.system.supervisor import Child, Supervisor

FOLDER = Path(sys.argv[1])
SLEEP = (sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)")


def with_a_child_of_its_own() -> None:
    """Run like a worker with a pool process that would not end by itself."""
    grandchild = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(600)"])
    (FOLDER / "grandchild").write_text(str(grandchild.pid))
    time.sleep(600)


def stubborn() -> None:
    """Run like a process that does not hear the polite signal."""
    import signal

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (FOLDER / "stubborn").touch()
    time.sleep(600)


def prepare() -> None:
    """Prepare, or fail when the test wants so."""
    if (FOLDER / "fail").exists():
        sys.exit("the test wants this to fail")


def publish(children: list[Child]) -> None:
    """Write what runs, as the portal does."""
    states = [ProcessState(c.spec.name, c.state, c.pid, c.started_at, c.restarts) for c in children if not c.spec.once]
    Instance(FOLDER).write(states, {}, None)


def main() -> int:
    """Run until told to stop."""
    specs = [
        ProcessSpec(
            "web", ("web",), run=stubborn if "stubborn" in sys.argv else lambda: time.sleep(600), needs=("base",)
        ),
        ProcessSpec("worker", ("worker",), run=with_a_child_of_its_own, needs=("base", "prepare")),
        ProcessSpec("prepare", ("prepare",), run=prepare, once=True, foreground=True),
        ProcessSpec("base", SLEEP, ready=lambda: not (FOLDER / "hold").exists()),
    ]
    return Supervisor(specs, say=lambda text: print(text, flush=True), changed=publish).run()


if __name__ == "__main__":
    sys.exit(main())

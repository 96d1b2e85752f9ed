"""The supervisor by itself, over idle processes: order, new starts, the end of everything."""

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from apps.core import files
from apps.system import supervisor
from apps.system.instance import AlreadyRunning, Clock, Instance
from apps.system.processes import ProcessRegistry, ProcessSpec, in_order
from apps.system.supervisor import Child
from apps.system.up import Launch, raise_limit_of_open_files
from tests.system.portal import runs
from tests.system.waiting import STOP_DEADLINE, until

SCRIPT = "tests.system.small_portal"


class Small:
    """A running small portal."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", SCRIPT, str(folder), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def pid(self, name: str) -> int | None:
        """Give the id of one process while it runs."""
        return next((p.pid for p in Instance(self.folder).processes() if p.name == name and p.state == "running"), None)

    def wait_for(self, *names: str) -> None:
        """Wait until these run."""
        until(lambda: all(self.pid(name) for name in names), f"{names} run")

    def everything(self) -> list[psutil.Process]:
        """Give the supervisor's descendants."""
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    portal = Small(tmp_path)
    portal.wait_for("base", "worker", "web")
    until((tmp_path / "grandchild").exists, "the grandchild runs")
    yield portal
    portal.process.kill()
    portal.process.wait()
    portal.process.stdout.close()


def test_processes_stand_after_what_they_need() -> None:
    def spec(name: str, *needs: str) -> ProcessSpec:
        return ProcessSpec(name, (name,), needs=needs)

    specs = [spec("web", "broker", "prepare"), spec("broker"), spec("prepare", "broker")]
    assert [each.name for each in in_order(specs)] == ["broker", "prepare", "web"]
    with pytest.raises(ValueError, match="circle: a, b"):
        in_order([spec("a", "b"), spec("b", "a")])


def test_a_process_can_make_others_wait_for_it() -> None:
    registry = ProcessRegistry()
    registry.register("clock", lambda: ProcessSpec("clock", ("clock",), needs=("base",)))
    registry.register("base", lambda: ProcessSpec("base", ("base",)))
    registry.register("first", lambda: ProcessSpec("first", ("first",), needs=("base",), before=("clock", "not there")))
    built = registry.build()
    assert [spec.name for spec in built] == ["base", "first", "clock"]
    assert built[-1].needs == ("base", "first")


def test_a_name_is_registered_once() -> None:
    registry = ProcessRegistry()
    registry.register("web", lambda: None)
    with pytest.raises(ValueError, match="'web' is registered twice"):
        registry.register("web", lambda: None)
    assert registry.build() == []


def test_nothing_starts_before_what_it_needs_is_ready(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    portal = Small(tmp_path)
    try:
        until(
            lambda: [p.state for p in Instance(tmp_path).processes() if p.name == "base"] == ["starting"], "base starts"
        )
        assert [(p.name, p.pid) for p in Instance(tmp_path).processes() if p.name != "base"] == [
            ("web", None),
            ("worker", None),
        ]
        (tmp_path / "hold").unlink()
        portal.wait_for("base", "web", "worker")
    finally:
        portal.process.terminate()
        output, _ = portal.process.communicate(timeout=10)
    assert "base    | here\n" in output


@pytest.mark.parametrize("name", ["base", "worker", "web"])
def test_a_killed_process_comes_back_and_leaves_nothing_behind(small: Small, name: str) -> None:
    before = small.pid(name)
    grandchild = int((small.folder / "grandchild").read_text())
    os.kill(before, signal.SIGKILL)
    until(lambda: small.pid(name) not in (None, before), f"{name} is back")
    assert runs(grandchild) is (name != "worker")
    assert [p.restarts for p in Instance(small.folder).processes() if p.name == name] == [1]


def test_the_delay_grows_with_every_failure(small: Small) -> None:
    for _ in range(3):
        before = small.pid("web")
        os.kill(before, signal.SIGKILL)
        until(lambda before=before: small.pid("web") not in (None, before), "web is back")
    small.process.terminate()
    output, _ = small.process.communicate(timeout=10)
    delays = [line.rpartition("starts again in ")[2] for line in output.splitlines() if "SIGKILL" in line]
    assert delays == ["0.3 s", "0.6 s", "1.2 s"]


def test_no_orphan_stays_when_the_supervisor_is_killed(small: Small) -> None:
    family = small.everything()
    assert len(family) == 5  # three processes, the child of one, the guard
    small.process.kill()
    small.process.wait()
    until(lambda: [each for each in family if runs(each.pid)] == [], "all have ended", seconds=8)


def test_no_orphan_stays_when_supervisor_and_guard_are_killed(small: Small) -> None:
    family = small.everything()
    ours = [each for each in family if each.ppid() == small.process.pid]
    guard = next(each for each in ours if "guard" in each.cmdline()[0])
    guard.kill()
    small.process.kill()
    small.process.wait()
    until(lambda: [each for each in ours if runs(each.pid)] == [], "all have ended", seconds=8)
    for each in family:
        if runs(each.pid):
            each.kill()


def test_a_killed_guard_is_replaced_and_still_guards(small: Small) -> None:
    guard = next(each for each in small.everything() if "guard" in each.cmdline()[0])
    guard.kill()
    until(
        lambda: any("guard" in "".join(each.cmdline()[:1]) for each in small.everything() if each != guard),
        "a new guard",
    )
    grandchild = int((small.folder / "grandchild").read_text())
    small.process.kill()
    small.process.wait()
    until(lambda: not runs(grandchild), "the grandchild has ended", seconds=8)


def test_everything_stops_although_one_does_not_listen(tmp_path: Path) -> None:
    assert (supervisor.KILL_AFTER, supervisor.STOP_WITHIN) == (4.2, 5.0)
    portal = Small(tmp_path, "stubborn")
    portal.wait_for("base", "worker", "web")
    until((tmp_path / "stubborn").exists, "the signal is ignored")
    family = portal.everything()
    portal.process.send_signal(signal.SIGTERM)
    assert portal.process.wait(timeout=STOP_DEADLINE) == 0
    assert [each for each in family if runs(each.pid)] == []
    portal.process.stdout.close()


def test_a_failed_step_ends_the_start_with_an_error(tmp_path: Path) -> None:
    (tmp_path / "fail").touch()
    portal = Small(tmp_path)
    output, _ = portal.process.communicate(timeout=10)
    assert portal.process.returncode == 1
    assert "the test wants this to fail\n" in output
    assert "The start failed at the step “prepare”.\n" in output


def test_a_folder_is_claimed_once(tmp_path: Path) -> None:
    held = Instance(tmp_path).claim()
    with pytest.raises(AlreadyRunning) as refusal:
        Instance(tmp_path).claim()
    assert refusal.value.pid == Instance(tmp_path).running_pid() == os.getpid()
    os.close(held)
    assert Instance(tmp_path).running_pid() is None


@pytest.mark.parametrize("name", ["up.lock", "up.new", "up.json", "clock-gaps.jsonl"])
def test_a_link_in_the_folder_leads_nowhere(tmp_path: Path, name: str) -> None:
    target, folder = tmp_path / "passwd", tmp_path / "var"
    target.write_text("root:x:0:0\n")
    folder.mkdir()
    (folder / name).symlink_to(target)
    for act in (
        lambda: os.close(Instance(folder).claim()),
        lambda: Instance(folder).write([], {}),
        lambda: Instance(folder).note_gap("set", 10.0),
    ):
        with suppress(OSError):
            act()
    assert target.read_text() == "root:x:0:0\n"


def test_a_full_disk_costs_news_and_never_the_portal(settings, tmp_path: Path, capsys, monkeypatch) -> None:
    settings.DATA_DIR = tmp_path
    launch = Launch()
    children = [Child(ProcessSpec("web", ("web",)))]
    replace, full = files.replace, [True]

    def write(path: Path, content: bytes) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(path, content)

    monkeypatch.setattr(files, "replace", write)
    monkeypatch.setattr(launch.instance, "give_sign_of_life", lambda: None)
    clock = Clock(launch.instance)
    monkeypatch.setattr(clock, "compare", lambda: None)
    clock._unnoted.append(("slept", 60.0, 1000.0))
    steering = SimpleNamespace(follow=lambda: None)
    launch._publish(children)
    launch._each_second(clock, steering)
    assert launch.instance.processes() == launch.instance.gaps(0) == []
    assert capsys.readouterr().out.count("cannot be written to: No space left on device.") == 1
    full.clear()
    launch._each_second(clock, steering)
    assert [each.name for each in launch.instance.processes()] == ["web"]
    assert launch.instance.gaps(0) == [{"at": 1000.0, "kind": "slept", "seconds": 60.0}]
    launch._each_second(clock, steering)
    assert len(launch.instance.gaps(0)) == 1


def test_the_limit_of_open_files_is_raised_within_reason(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(resource, "setrlimit", lambda _what, limits: asked.append(limits))
    for limits in ((1024, 4096), (1024, 524288), (1024, resource.RLIM_INFINITY), (70000, 524288), (4096, 4096)):
        monkeypatch.setattr(resource, "getrlimit", lambda _what, limits=limits: limits)
        raise_limit_of_open_files()
    assert asked == [(4096, 4096), (65536, 524288), (65536, resource.RLIM_INFINITY)]

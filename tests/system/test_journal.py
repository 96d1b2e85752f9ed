"""What the processes say is kept in files of bounded size, for the portal's user alone."""

import os
import stat
from pathlib import Path

import pytest

from apps.system import journal
from apps.system.journal import Journal


def test_lines_are_kept_with_their_time_for_the_owner_alone(tmp_path: Path) -> None:
    kept = Journal(tmp_path)
    kept.write("web    | hello")
    kept.write("worker | good day")
    lines = list(Journal(tmp_path).lines())
    assert [line.partition(" ")[2] for line in lines] == ["web    | hello", "worker | good day"]
    assert all(line.startswith("20") and line[19] == "Z" for line in lines)
    file = tmp_path / "logs" / "portal.log"
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)


def test_full_files_move_on_and_the_oldest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LARGEST", 100)
    kept = Journal(tmp_path)
    for number in range(20):  # 21 bytes of time, 10 of text: three lines a file
        kept.write(f"line {number:04}")
    found = [line.partition(" ")[2] for line in kept.lines()]
    assert found == [f"line {number:04}" for number in range(6, 20)]
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "logs").iterdir()}
    assert sorted(sizes) == ["portal.log", *(f"portal.log.{number}" for number in range(1, 5))]
    assert max(sizes.values()) <= 100


def test_a_file_that_is_there_is_continued(tmp_path: Path) -> None:
    Journal(tmp_path).write("first start")
    Journal(tmp_path).write("second start")
    assert [line.partition(" ")[2] for line in Journal(tmp_path).lines()] == ["first start", "second start"]


def test_a_folder_that_cannot_be_written_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("somebody else's file")
    kept = Journal(tmp_path)
    kept.write("lost")
    assert list(kept.lines()) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched")
    (tmp_path / "logs").mkdir()
    os.symlink(elsewhere, tmp_path / "logs" / "portal.log")
    Journal(tmp_path).write("not there")
    assert elsewhere.read_text() == "untouched"


def test_trouble_is_found_with_its_traces(tmp_path: Path) -> None:
    kept = Journal(tmp_path)
    for line in (
        "web    | 2026-11-25 10:00:00,000 INFO web: all is well",
        "web    | 2026-11-25 10:00:01,000 ERROR django.request: no",
        "web    | Traceback (most recent call last):",
        'web    |   File "x.py", line 1, in f',
        "web    | ValueError: no",
        "web    | 2026-11-25 10:00:02,000 INFO web: well again",
        "beat   | ended (signal SIGKILL) after 3 s; starts again in 0.3 s",
        "worker | 2026-11-25 10:00:03,000 WARNING x: careful",
    ):
        kept.write(line)
    assert [line.partition("| ")[2][:30] for line in kept.trouble()] == [
        "2026-11-25 10:00:01,000 ERROR ",
        "Traceback (most recent call la",
        '  File "x.py", line 1, in f',
        "ValueError: no",
        "ended (signal SIGKILL) after 3",
        "2026-11-25 10:00:03,000 WARNIN",
    ]

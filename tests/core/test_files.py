"""Files that are replaced as a whole, also by root in the folder of another user."""

import errno
import os
from pathlib import Path

import pytest

from apps.core import files, secrets

FOREIGN = "somebody else's\n"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file that whoever owns the folder would have root write to."""
    found = tmp_path / "passwd"
    found.write_text(FOREIGN)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "var"
    made.mkdir()
    return made


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Be root, and remember to whom files are given."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda _descriptor, user, group: found.append((user, group)))
    return found


def test_a_link_is_replaced_and_not_followed(folder: Path, target: Path, given: list) -> None:
    (folder / "state").symlink_to(target)
    (folder / "state.new").symlink_to(target)
    files.replace(folder / "state", b"ours")
    assert (folder / "state").read_text() == "ours"
    assert not (folder / "state").is_symlink()
    assert (folder / "state").stat().st_mode & 0o777 == 0o600
    assert target.read_text() == FOREIGN
    assert given == [(folder.stat().st_uid, folder.stat().st_gid)]


def test_what_was_there_stays_and_nothing_is_left_behind_when_the_disk_is_full(folder: Path, monkeypatch) -> None:
    files.replace(folder / "state", b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.replace(folder / "state", b"new", durable=True)
    assert (folder / "state").read_text() == "old"
    assert os.listdir(folder) == ["state"]


def test_only_a_file_is_opened(folder: Path, target: Path) -> None:
    (folder / "link").symlink_to(target)
    os.mkfifo(folder / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(OSError, match=r"link|is no file"):
            files.open_own(folder / name, os.O_RDWR | os.O_CREAT)
    os.close(files.open_own(folder / "lock", os.O_RDWR | os.O_CREAT))
    assert (folder / "lock").stat().st_mode & 0o777 == 0o600


def test_a_new_key_goes_to_the_owner_of_the_folder_and_through_no_link(
    folder: Path, target: Path, given: list, settings
) -> None:
    settings.SECRETS_KEY_FILE = str(folder / "secrets.key")
    secrets.encrypt("anything")
    (folder / "secrets.new").symlink_to(target)
    secrets.add_key()
    owner = (folder.stat().st_uid, folder.stat().st_gid)
    assert given == [owner, owner]
    assert target.read_text() == FOREIGN
    assert len((folder / "secrets.key").read_bytes().split()) == 2
    assert (folder / "secrets.key").stat().st_mode & 0o777 == 0o600

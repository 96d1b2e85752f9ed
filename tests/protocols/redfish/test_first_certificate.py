"""The first certificate of a service is believed, on the connection that is used, and no other after it."""

import hashlib
from typing import Any

import aiohttp
import pytest

from apps.protocols.redfish import RedfishTarget
from apps.protocols.redfish.connection import Connection


class Way:
    """A connection over which a service showed a certificate."""

    def __init__(self, certificate: bytes) -> None:
        self.certificate = certificate

    def get_extra_info(self, name: str) -> Any:
        return ("192.0.2.9", 443) if name == "peername" else self

    def getpeercert(self, *, binary_form: bool) -> bytes:
        return self.certificate


async def test_another_certificate_in_the_first_conversation_is_refused() -> None:
    connection = Connection(RedfishTarget("192.0.2.9"))
    assert (connection.pin, connection.shown) == ("", None)
    connection._first.check(Way(b"one"))  # type: ignore[arg-type]
    connection._first.check(Way(b"one"))  # type: ignore[arg-type]
    with pytest.raises(aiohttp.ServerFingerprintMismatch):
        connection._first.check(Way(b"another"))  # type: ignore[arg-type]
    assert connection.pin == hashlib.sha256(b"one").hexdigest()
    assert connection.shown is not None
    assert connection.shown.fingerprint == connection.pin


async def test_a_certificate_that_is_known_is_never_learned_anew() -> None:
    connection = Connection(RedfishTarget("192.0.2.9", pin="0" * 64))
    assert (connection.pin, connection.shown) == ("0" * 64, None)

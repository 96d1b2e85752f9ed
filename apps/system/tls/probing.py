"""Asks a port of ours as a browser on this machine does, and finds out on the way whether it speaks HTTPS."""

import http.client
import ssl
from http import HTTPStatus

PATIENCE = 10.0  # seconds
SIGN_IN = "/login/"


def ask(address: str, port: int) -> tuple[str, int]:
    """Ask for the sign-in page; give the scheme and the status, 0 where nobody answers.

    Plain first: a port with HTTPS leads on, while a plain one would have to complain of TLS in its log.
    """
    status, leads_to = _get(http.client.HTTPConnection(address, port, timeout=PATIENCE))
    if status != HTTPStatus.TEMPORARY_REDIRECT or not leads_to.startswith("https://"):
        return "http", status
    status, _leads_to = _get(http.client.HTTPSConnection(address, port, timeout=PATIENCE, context=_trusting()))
    return "https", status


def _get(connection: http.client.HTTPConnection) -> tuple[int, str]:
    try:
        connection.request("GET", SIGN_IN, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location", "")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def _trusting() -> ssl.SSLContext:
    """Speak with ourselves, on this machine: whose certificate it is does not matter, and nothing secret is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

"""What an agent means by a report (RFC 3414 §5, RFC 3412 §5, RFC 3413 §3) or by an error status (RFC 3416 §3)."""

from apps.protocols.errors import AuthenticationFailed, ContactError, DeviceError
from apps.protocols.snmp.ber import ErrorStatus, Oid

_USM_STATS = "1.3.6.1.6.3.15.1.1"
UNSUPPORTED_SECURITY_LEVEL = f"{_USM_STATS}.1.0"
NOT_IN_TIME_WINDOW = f"{_USM_STATS}.2.0"
UNKNOWN_USER_NAME = f"{_USM_STATS}.3.0"
UNKNOWN_ENGINE_ID = f"{_USM_STATS}.4.0"
WRONG_DIGEST = f"{_USM_STATS}.5.0"
DECRYPTION_ERROR = f"{_USM_STATS}.6.0"
_UNKNOWN_CONTEXT = "1.3.6.1.6.3.12.1.5.0"
_UNAVAILABLE_CONTEXT = "1.3.6.1.6.3.12.1.4.0"

_REFUSALS = {
    UNSUPPORTED_SECURITY_LEVEL: "%(address)s does not offer this security level to the user (unsupportedSecLevel)",
    UNKNOWN_USER_NAME: "%(address)s does not know the user (unknownUserName)",
    WRONG_DIGEST: "%(address)s refuses the authentication password or protocol (wrongDigest)",
    DECRYPTION_ERROR: "%(address)s cannot decrypt: privacy password or protocol (decryptionError)",
}


def refusal(counter: Oid, address: str) -> ContactError:
    """The error that a report's counter stands for."""
    if text := _REFUSALS.get(counter):
        return AuthenticationFailed(text, address=address)
    if counter == NOT_IN_TIME_WINDOW:
        return DeviceError("%(address)s keeps refusing the time of our messages (notInTimeWindow)", address=address)
    if counter in (_UNKNOWN_CONTEXT, _UNAVAILABLE_CONTEXT):
        return DeviceError("%(address)s does not know the context name", address=address)
    return DeviceError("%(address)s refuses with the report %(counter)s", address=address, counter=counter or "(empty)")


def error_of(status: int, index: int, address: str, asked: Oid = "") -> ContactError:
    """The error that a response's error status stands for."""
    try:
        name = ErrorStatus(status).name.lower()
    except ValueError:
        name = str(status)
    if status == ErrorStatus.AUTHORIZATION_ERROR:
        return AuthenticationFailed("%(address)s does not let this user read (authorizationError)", address=address)
    return DeviceError(
        "%(address)s answers with the error %(error)s at %(oid)s", address=address, error=name, oid=asked or index
    )

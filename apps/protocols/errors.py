"""The four ways in which speaking to a device can fail; each says whether trying again helps."""

from enum import StrEnum


class Stage(StrEnum):
    """How far a conversation came before it failed; a connection check walks them in this order."""

    NAME = "name"
    ROUTE = "route"
    PORT = "port"
    SIGN_IN = "sign-in"
    PROTOCOL = "protocol"


class ContactError(Exception):
    """Base of everything that a device, or the way to it, can do to us.

    ``message`` is a complete English sentence without secrets; ``params`` fills its ``%(name)s`` places, so that it can
    be translated. ``stage`` says how far the conversation came.
    """

    code = "device_error"
    retry_helps = False

    def __init__(self, message: str, *, stage: Stage = Stage.PROTOCOL, **params: object) -> None:
        self.message = message
        self.params = {name: str(value) for name, value in params.items()}
        self.stage = stage
        super().__init__(message, self.params)

    def __str__(self) -> str:
        return self.message % self.params if self.params else self.message


class Unreachable(ContactError):
    """Nobody answers: name, route, port or silence. Trying again helps."""

    code = "unreachable"
    retry_helps = True

    def __init__(self, message: str, *, stage: Stage = Stage.PORT, **params: object) -> None:
        super().__init__(message, stage=stage, **params)


class AuthenticationFailed(ContactError):
    """The device answered and refused the login. Trying again harms: it may lock the account."""

    code = "authentication_failed"

    def __init__(self, message: str, *, stage: Stage = Stage.SIGN_IN, **params: object) -> None:
        super().__init__(message, stage=stage, **params)


class Unsupported(ContactError):
    """The device answered and cannot do this, or is too old for us. Trying again does not help."""

    code = "unsupported"


class DeviceError(ContactError):
    """The device answered with an error, or with something that is not an answer; its own words are kept."""

    code = "device_error"


class NotNow(DeviceError):
    """The device answered that it cannot do this at the moment: it is busy, starts, or has something else in work."""

    retry_helps = True


class InUse(DeviceError):
    """The device has what was asked for only once, and somebody else has it now, by another program than ours."""

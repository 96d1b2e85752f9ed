"""How to reach a management controller by IPMI."""

from dataclasses import dataclass, field

from apps.protocols.errors import Stage, Unsupported

LONGEST_USERNAME, LONGEST_PASSWORD = 16, 20  # bytes; IPMI 2.0 §22.28, §22.30
RMCP_PORT = 623


@dataclass(frozen=True, slots=True)
class IpmiTarget:
    """One controller and the login for it; its repr shows no secret."""

    address: str
    port: int = RMCP_PORT
    username: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 1.0  # seconds for the first answer; later attempts wait longer
    retries: int = 1
    allow_suite_3: bool = True  # SHA-1 instead of SHA-256, where a controller knows nothing better
    source_port: int | None = None  # None: chosen by the system
    budget: float = 60.0  # seconds that one conversation may last

    def login(self) -> tuple[bytes, bytes]:
        """Give user name and password as the bytes that go over the wire; ``Unsupported`` when they are too long."""
        username, password = self.username.encode(), self.password.encode()
        if len(username) > LONGEST_USERNAME or len(password) > LONGEST_PASSWORD:
            raise Unsupported(
                "IPMI takes user names of up to 16 bytes and passwords of up to 20 bytes", stage=Stage.SIGN_IN
            )
        return username, password

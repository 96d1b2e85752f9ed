"""Where an SNMP agent is and with what it is asked."""

from dataclasses import dataclass, field

VERSIONS = ("1", "2c", "3")
AUTH_PROTOCOLS = ("none", "MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512")
PRIV_PROTOCOLS = ("none", "DES", "3DES", "AES-128", "AES-192", "AES-256")


@dataclass(frozen=True, slots=True, kw_only=True)
class SnmpTarget:
    """One agent: its address (IPv4, IPv6 or a name), port, version and login; secrets never show in its ``repr``.

    ``timeout`` is in seconds for the first attempt and grows by itself with each of the ``retries`` that follow.
    ``ValueError`` when a field is none of the known values, or privacy is asked for without authentication.
    """

    address: str
    port: int = 161
    version: str = "2c"
    community: str = field(default="public", repr=False)
    username: str = ""
    auth_protocol: str = "none"
    auth_password: str = field(default="", repr=False)
    priv_protocol: str = "none"
    priv_password: str = field(default="", repr=False)
    context: str = ""
    timeout: float = 2.0
    retries: int = 2

    def __post_init__(self) -> None:
        if self.version not in VERSIONS:
            raise ValueError(f"SNMP version {self.version!r} is none of {', '.join(VERSIONS)}")
        if self.auth_protocol not in AUTH_PROTOCOLS:
            raise ValueError(f"{self.auth_protocol!r} is none of {', '.join(AUTH_PROTOCOLS)}")
        if self.priv_protocol not in PRIV_PROTOCOLS:
            raise ValueError(f"{self.priv_protocol!r} is none of {', '.join(PRIV_PROTOCOLS)}")
        if self.version == "3" and self.priv_protocol != "none" and self.auth_protocol == "none":
            raise ValueError("Privacy needs authentication")
        if not 0 < self.port < 65536:
            raise ValueError(f"Port {self.port} is not between 1 and 65535")
        if self.timeout <= 0 or self.retries < 0:
            raise ValueError("The timeout must be above 0 and the retries not below")

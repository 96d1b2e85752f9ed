"""How to reach a Redfish service."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RedfishTarget:
    """How to reach a service. ``pin`` is the SHA-256 of its certificate; empty: whatever it shows is taken."""

    address: str
    port: int = 443
    username: str = ""
    password: str = field(default="", repr=False)
    pin: str = ""
    answer_within: float = 10.0  # seconds for one answer
    whole_within: float = 300.0  # seconds for the whole conversation

"""What a simulated controller was set to: LAN, alerts, serial over LAN, boot options and the like."""

from dataclasses import dataclass
from ipaddress import IPv4Address

DESTINATIONS, FILTERS, POLICIES = 4, 8, 8

# LAN parameters (§23.2)
PROGRESS, KNOWN_AUTHENTICATION, AUTHENTICATION, ADDRESS, SOURCE, MAC, MASK = range(7)
HEADER, PRIMARY_PORT, SECONDARY_PORT, ARP, ARP_INTERVAL, GATEWAY, GATEWAY_MAC = range(7, 14)
BACKUP_GATEWAY, BACKUP_MAC, COMMUNITY, DESTINATION_COUNT, DESTINATION_TYPE, DESTINATION_ADDRESS = range(14, 20)
VLAN, VLAN_PRIORITY, SUITE_COUNT, SUITES, SUITE_PRIVILEGES = range(20, 25)

# Parameters of serial over LAN (§26.3)
(
    SOL_PROGRESS,
    SOL_ENABLED,
    SOL_PRIVILEGE,
    SOL_ACCUMULATE,
    SOL_RETRY,
    SOL_RATE,
    SOL_RATE_NOW,
    SOL_CHANNEL,
    SOL_PORT,
) = range(9)

# PEF parameters (§30.4)
(
    PEF_PROGRESS,
    PEF_CONTROL,
    PEF_ACTIONS,
    PEF_DELAY,
    PEF_ALERT_DELAY,
    FILTER_COUNT,
    FILTER,
    FILTER_FIRST,
    POLICY_COUNT,
    POLICY,
    PEF_GUID,
    STRING_COUNT,
) = range(12)
NOWHERE = IPv4Address(0)
FILTER_LENGTH, POLICY_LENGTH = 20, 3  # behind the number of the entry
_ENABLED, _ALERT, _ANY = 0x80, 0x01, 0xFF


@dataclass(slots=True)
class Destination:
    """Where an alert goes."""

    kind: int = 0  # 0: a trap; with the highest bit: that has to be acknowledged
    timeout: int = 3  # seconds
    retries: int = 2
    gateway: int = 0
    address: IPv4Address = NOWHERE
    mac: bytes = bytes(6)

    @property
    def wants_acknowledgement(self) -> bool:
        """Whether a trap is repeated until somebody acknowledges it."""
        return bool(self.kind & 0x80)


@dataclass(slots=True)
class PowerLimit:
    """The power limit that was set, active or not (DCMI 1.5 §6.6.2)."""

    action: int = 0  # beyond it: nothing; 1: power off; 0x11: an entry in the log
    watts: int = 500
    correction: int = 1000  # ms
    sampling: int = 10  # s


def _filters() -> list[bytearray]:
    """The first filter lets every event be told by policy 1; the others are free."""
    all_events = bytes((_ENABLED, _ALERT, 1, 0, _ANY, _ANY, _ANY, _ANY, _ANY, 0xFF, 0xFF))
    return [bytearray((all_events if number == 0 else b"").ljust(FILTER_LENGTH, b"\0")) for number in range(FILTERS)]


def _policies() -> list[bytearray]:
    """Policy 1 tells every destination of the LAN; the others are free."""
    return [
        bytearray((0x18, 0x10 | number + 1, 0) if number < DESTINATIONS else POLICY_LENGTH)
        for number in range(POLICIES)
    ]


class Settings:
    """All that can be set. LAN and PEF parameters that are only kept are bytes by their number."""

    def __init__(self, address: str, port: int) -> None:
        own = IPv4Address(address).packed
        self.lan: dict[int, bytes] = {
            PROGRESS: b"\0",
            KNOWN_AUTHENTICATION: b"\0",
            AUTHENTICATION: bytes(5),
            ADDRESS: own,
            SOURCE: b"\x01",
            MAC: bytes((0x02, 0x42)) + own,
            MASK: bytes((255, 255, 255, 0)),
            HEADER: bytes((0x40, 0x40, 0x10)),
            PRIMARY_PORT: port.to_bytes(2, "little"),
            SECONDARY_PORT: bytes((0x98, 0x02)),
            ARP: b"\x02",
            ARP_INTERVAL: b"\x04",
            GATEWAY: own[:3] + b"\xfe",
            GATEWAY_MAC: bytes(6),
            BACKUP_GATEWAY: bytes(4),
            BACKUP_MAC: bytes(6),
            COMMUNITY: b"public".ljust(18, b"\0"),
            DESTINATION_COUNT: bytes((DESTINATIONS,)),
            VLAN: bytes(2),
            VLAN_PRIORITY: b"\0",
        }
        self.destinations = [Destination() for _ in range(DESTINATIONS + 1)]  # 0 is for one alert at a time
        self.pef: dict[int, bytes] = {
            PEF_PROGRESS: b"\0",
            PEF_CONTROL: b"\x01",
            PEF_ACTIONS: b"\x01",
            PEF_DELAY: b"\0",
            PEF_ALERT_DELAY: b"\0",
            FILTER_COUNT: bytes((FILTERS,)),
            POLICY_COUNT: bytes((POLICIES,)),
            PEF_GUID: bytes(17),
            STRING_COUNT: b"\0",
        }
        self.sol = {
            SOL_PROGRESS: b"\0",
            SOL_ENABLED: b"\x01",
            SOL_PRIVILEGE: b"\xc3",  # encrypted, authenticated, operators
            SOL_ACCUMULATE: bytes((4, 96)),  # x 5 ms; characters
            SOL_RETRY: bytes((7, 50)),  # times; x 10 ms
            SOL_RATE: b"\x0a",  # 115.2 kbit/s
            SOL_RATE_NOW: b"\x0a",
            SOL_CHANNEL: b"\x01",
            SOL_PORT: port.to_bytes(2, "little"),
        }
        self.filters, self.policies = _filters(), _policies()
        self.last_processed = 0xFFFF
        self.boot_options: dict[int, bytes] = {}
        self.channel_access = [0x0A, 0x04]  # always available, alerts go out; up to administrator
        self.restore_policy = 1  # after a power failure as before
        self.sdr_reservation = 0
        self.power_limit = PowerLimit()
        self.name = ""

    @property
    def community(self) -> bytes:
        """Give the community of traps."""
        return self.lan[COMMUNITY].rstrip(b"\0")

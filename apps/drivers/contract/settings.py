"""What a management controller may be set to: its network, clock, services, destinations of alerts and users."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

SettingValue: TypeAlias = str | int | bool | None

NEW = "new"  # the row of a section in which something is added


class SettingKind(StrEnum):
    """What a value is."""

    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    ADDRESS = "address"  # IPv4; empty: none
    SECRET = "secret"  # noqa: S105  # only written, never read


class Carries(StrEnum):
    """What of the portal's own connection hangs on a setting."""

    NOTHING = ""
    ADDRESS = "address"
    PORT = "port"
    WAY = "way"  # the protocol that we speak: without it nobody answers us
    ROUTE = "route"  # mask, gateway, VLAN
    LOGIN = "login"  # the name by which we sign in
    PASSWORD = "password"  # noqa: S105
    RIGHTS = "rights"  # of the account by which we sign in, and whether it may sign in at all


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that may be chosen, with an English word."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One named value. ``name`` is stable: ``network.gateway``, ``users.3.password``."""

    name: str
    label: str  # English
    kind: SettingKind
    value: SettingValue = None  # always None of a secret
    choices: tuple[Choice, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    longest: int | None = None  # characters
    writable: bool = True
    hint: str = ""  # English
    row: str = ""  # which of several alike it belongs to: the number of a user
    carries: Carries = Carries.NOTHING
    individual: bool = False  # no two devices can have the same

    def __post_init__(self) -> None:
        """A secret that was read would be shown."""
        if self.kind is SettingKind.SECRET and self.value is not None:
            raise ValueError(f"{self.name} is a secret and has a value")


@dataclass(frozen=True, slots=True)
class SettingSection:
    """Settings of one subject, in the order in which they are shown."""

    name: str
    label: str  # English
    settings: tuple[Setting, ...]
    row_label: str = ""  # English, with ``%(row)s``: what one of several alike is called
    key: str = ""  # what names a row to people, ``name``: a row that was added is found again by it
    new_label: str = ""  # English: what a row that is added is called
    hints: tuple[str, ...] = ()  # English


@dataclass(frozen=True, slots=True)
class SettingsReport:
    """What a device is set to. What it lacks is not there."""

    sections: tuple[SettingSection, ...]
    may_reset: bool = False  # it can set itself back to what it came with
    may_restart: bool = False  # the controller can be ordered to start anew; the machine behind it runs on
    awaits_restart: bool = False  # something that was changed counts only when it has

    def __iter__(self) -> Iterator[Setting]:
        for section in self.sections:
            yield from section.settings


class Settings(ABC):
    """Capability ``settings``.

    ``wants_restart`` says after a change whether anything that was written in this conversation counts only when the
    controller has started anew, by its own word.
    """

    wants_restart: bool = False

    @abstractmethod
    async def read_settings(self) -> SettingsReport:
        """Read what it is set to now."""

    @abstractmethod
    def write_settings(self, changes: Mapping[str, SettingValue]) -> AsyncIterator[Sequence[str]]:
        """Write what shall change, and nothing else, each once and never again, what may cut us off last.

        Gives the names of what it is about to write before each order; an error that comes then is about these. The
        values were read in this conversation before. Raises Unsupported for a name that it does not know.
        """

    @abstractmethod
    async def send_test_alert(self, row: str) -> None:
        """Have one alert that tells of nothing wrong sent to a row of ``destinations``, by which it is seen to arrive.

        Others may get it, too. The settings were read in this conversation before. Raises Unsupported where it cannot.
        """

    @abstractmethod
    async def reset_settings(self) -> None:
        """Order it once to set itself back to what it came with; raises Unsupported where it cannot."""

    @abstractmethod
    async def restart_controller(self) -> None:
        """Order the controller once to start anew; raises Unsupported where it cannot."""

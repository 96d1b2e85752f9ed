"""What is read to know the settings of a controller, and the requests that change them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apps.drivers.contract import Choice, SettingValue
from apps.drivers.redfish.values import Resource, oem, text


@dataclass(frozen=True, slots=True)
class Order:
    """One request: the settings that it is about, and what is sent; ``tag`` is the version of the resource."""

    names: Sequence[str]
    method: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tag: str = ""


class Dialect(ABC):
    """How a service writes a destination of traps; ours are the words ``address``, ``protocol``, ``community``."""

    protocols: Sequence[Choice]  # the first is what a new one gets
    fixed: frozenset[str] = frozenset()  # words that cannot be changed: the destination is made anew

    @abstractmethod
    def read(self, row: Resource) -> dict[str, SettingValue]:
        """Give what a destination says, by our words."""

    @abstractmethod
    def changed(self, given: Mapping[str, SettingValue]) -> dict[str, Any]:
        """Give the properties that say it."""

    @abstractmethod
    def added(self, given: Mapping[str, SettingValue], before: Resource) -> dict[str, Any]:
        """Give the properties of a new one, which may take the place of another."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """To whom traps go; without a path none can be added."""

    dialect: Dialect
    path: str = ""
    rows: Sequence[Resource] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """The resources that hold settings; empty ones are not there."""

    manager: Resource
    port: Resource = field(default_factory=dict)
    services: Resource = field(default_factory=dict)
    accounts_path: str = ""
    accounts: Sequence[Resource] = ()
    roles: Sequence[str] = ()
    at: datetime = field(default_factory=lambda: datetime.now(UTC))  # when the manager told its time
    clock_settable: bool = True
    destinations: Destinations | None = None
    receivers: Sequence[Resource] = ()  # of events
    own_clock: Resource = field(default_factory=dict)  # the maker's own resources, where there are any
    own_traps: Resource = field(default_factory=dict)

    @property
    def awaits_restart(self) -> bool:
        """Say whether anything that was changed counts only once the controller has started anew."""
        found = (self.manager, self.port, self.services, self.own_clock, self.own_traps)
        return any("SomePendingReset" in (one.get(_STATE), oem(one).get(_STATE)) for one in found)


_STATE = "ConfigurationSettings"


def taken(left: dict[str, SettingValue], start: str) -> dict[str, SettingValue]:
    """Take the wishes whose names begin so, by what follows."""
    return {name.removeprefix(start): left.pop(name) for name in list(left) if name.startswith(start)}


def version(source: Resource) -> str:
    """Give the version of a resource, by which only that one is changed."""
    return text(source, "@odata.etag") or ""

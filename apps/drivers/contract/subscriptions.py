"""To whom a device sends its events by itself: asking it to send them here, looking after that, and ending it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subscription:
    """One place to which a device sends. ``key`` is the device's own name of it."""

    key: str
    destination: str  # the address that it sends to
    context: str = ""  # what whoever made it wrote into it; the device says it with every event


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Everybody to whom a device sends."""

    subscriptions: tuple[Subscription, ...]
    tests: bool = False  # it can be asked to send an event to try it out


class Subscriptions(ABC):
    """Capability ``subscriptions``."""

    @abstractmethod
    async def read_subscriptions(self) -> Subscribed:
        """List all of them, also those of others."""

    @abstractmethod
    async def subscribe(self, destination: str, context: str) -> Subscription:
        """Have events sent to an address, with this context in them."""

    @abstractmethod
    async def unsubscribe(self, key: str) -> None:
        """End one; one that is not there any more has ended."""

    @abstractmethod
    async def send_test_event(self) -> None:
        """Have one event sent to everybody, by which it can be seen that they arrive."""

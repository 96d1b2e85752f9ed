"""What is said to a device to read or forget its settings, or to restart. No database in here."""

# mypy: disable-error-code="type-abstract"

import time

from django.utils.translation import gettext_noop

from apps.control.orders import Order, able
from apps.core.phrases import Phrase
from apps.drivers.contract import Driver, Settings, SettingsReport, Target

LONGEST_CONTACT = 120.0  # seconds: some hundred questions, of which slow controllers answer ten a second
RESTARTED_AFTER = 30.0  # seconds in which a controller that was told to restart may still answer as before
READ = Phrase(gettext_noop("The settings were read."))
RESET = Phrase(gettext_noop("It answers again; it took the order to set itself back."))
RESTARTED = Phrase(gettext_noop("It answers again after its restart."))


class Reporting(Order):
    """An order at whose end the settings are known."""

    deadline = LONGEST_CONTACT
    report: SettingsReport | None = None


class ReadOrder(Reporting):
    """Read the settings; nothing is changed."""

    async def give(self, device: Driver | None) -> Phrase | None:
        """Read."""
        self.report = await able(device, Settings).read_settings()
        return READ

    async def look(self, device: Driver) -> Phrase | None:
        """There is nothing to look for."""
        return READ


class Absence:
    """Whether a controller that was told to restart did: it was away since, or has had the time for it."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._asked = self._answered = 0

    def begin(self) -> None:
        """Tell that it is told now."""
        self._since = time.monotonic()

    def ask(self) -> None:
        """Tell that it is asked again."""
        self._asked += self._since is not None

    def is_over(self) -> bool:
        """Say whether what answers now is the controller after its restart; true where there was none."""
        if self._since is None:
            return True
        self._answered += 1
        return self._asked > self._answered or time.monotonic() - self._since >= RESTARTED_AFTER

    @property
    def has_begun(self) -> bool:
        """Whether it was told to."""
        return self._since is not None


class RestartOrder(Reporting):
    """Order the controller to restart; seen is that it answers again after that."""

    def __init__(self) -> None:
        self.absence = Absence()
        self._given: Driver | None = None

    async def give(self, device: Driver | None) -> Phrase | None:
        """Order it."""
        machine = able(device, Settings)
        self._given = device
        self.sent = True
        self.absence.begin()
        await machine.restart_controller()
        return None

    async def look(self, device: Driver) -> Phrase | None:
        """Read its settings in a new conversation, once it was away."""
        if device is self._given or not self.absence.is_over():
            return None
        self.report = await able(device, Settings).read_settings()
        return RESTARTED

    def reach(self, target: Target) -> Target:
        """Count how often it is asked."""
        if self.sent:
            self.absence.ask()
        return target


class ResetOrder(Reporting):
    """Order the reset to what it came with; seen is that it answers again, and what that is."""

    def __init__(self) -> None:
        self._given: Driver | None = None

    async def give(self, device: Driver | None) -> Phrase | None:
        """Order it."""
        machine = able(device, Settings)
        self._given = device
        self.sent = True
        await machine.reset_settings()
        return None

    async def look(self, device: Driver) -> Phrase | None:
        """Be answered in a new conversation."""
        if device is self._given:
            return None
        self.report = await able(device, Settings).read_settings()
        return RESET

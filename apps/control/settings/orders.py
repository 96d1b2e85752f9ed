"""What is said to a device to read, write or forget its settings, or to restart. No database in here."""

# mypy: disable-error-code="type-abstract"

import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from django.utils.translation import gettext_noop

from apps.components import contact
from apps.control.orders import Order, able
from apps.control.settings import values
from apps.core.phrases import Phrase
from apps.drivers.contract import Carries, Driver, SettingKind, Settings, SettingsReport, SettingValue, Target

LONGEST_CONTACT = 120.0  # seconds: some hundred questions, of which slow controllers answer ten a second
RESTARTED_AFTER = 30.0  # seconds in which a controller that was told to restart may still answer as before
READ = Phrase(gettext_noop("The settings were read."))
CONFIRMED = Phrase(gettext_noop("It answers again and shows the new values."))
CONFIRMED_BUT_SECRETS = Phrase(
    gettext_noop("It answers again and shows the new values; a password cannot be read back.")
)
RESET = Phrase(gettext_noop("It answers again; it took the order to set itself back."))
RESTARTED = Phrase(gettext_noop("It answers again after its restart."))
CONFIRMED_AFTER_RESTART = Phrase(gettext_noop("It was restarted, answers again and shows the new values."))
TAKEN_UNTIL_RESTART = Phrase(
    gettext_noop("It took the change and says that it counts only once the controller was restarted.")
)
CHANGED_MEANWHILE = gettext_noop(
    "Changed meanwhile, so nothing was written: %(what)s is %(now)s, it was %(before)s when the change was shown."
)
NOT_THERE = gettext_noop("Nothing was written: %(address)s has no such setting any more (%(what)s).")
READING = Phrase(gettext_noop("Reading the present values…"))
WRITING = gettext_noop("Writing: %(what)s")
WAITING = Phrase(gettext_noop("Written. Waiting until the controller answers again with the new values…"))
RESTARTING = Phrase(gettext_noop("Written. The controller wants a restart for it, and is told to restart…"))


class ChangedMeanwhile(contact.Busy):
    """Nothing was written, because the device is not as it was when the change was shown; that is no fault of it."""

    code = "changed_meanwhile"
    retry_helps = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written to one device, and what was there when somebody saw the difference."""

    changes: Mapping[str, SettingValue] = field(repr=False)
    before: Mapping[str, SettingValue] = field(default_factory=dict)
    labels: Mapping[str, Phrase] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    carries: Mapping[str, Carries] = field(default_factory=dict)
    restart: bool = False  # the controller, where it says that a change counts only then

    def carried(self, what: Carries) -> SettingValue:
        """Give the new value of what our connection hangs on; None where that does not change."""
        return next((self.changes[name] for name, carried in self.carries.items() if carried is what), None)


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


class WriteOrder(Reporting):
    """Look whether all is as it was shown, write once, and see the new values in a conversation of its own."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.about: Sequence[str] = ()  # what is being written
        self.accepted: list[str] = []  # what was written before
        self.progress = READING  # read by another thread
        self.reached: Target | None = None  # by which the last look was made
        self._given: Driver | None = None
        self._found: SettingsReport | None = None  # right before it was written
        self.problem: Phrase | None = None  # why nothing was written
        self.awaits_restart = False  # it was taken, and counts later
        self.absence = Absence()
        self._attempts = count()

    async def give(self, device: Driver | None) -> Phrase | None:
        """Write what was agreed to, unless the device is not as it was."""
        machine = able(device, Settings)
        self._given = device
        self._compare(await machine.read_settings(), device.target.address if device is not None else "")
        writing: Any = machine.write_settings(self.plan.changes)
        async with aclosing(writing):
            async for names in writing:
                self.accepted += [name for name in self.about if name not in names]
                self.about, self.sent = names, True
                self.progress = Phrase(WRITING, {"what": self.labelled(names)})
        self.accepted += self.about
        self.about = ()
        if machine.wants_restart and self.plan.restart:
            self.progress = RESTARTING
            self.absence.begin()
            await machine.restart_controller()
        self.awaits_restart = machine.wants_restart and not self.plan.restart
        self.progress = WAITING
        return None

    def labelled(self, names: Sequence[str]) -> Phrase:
        """Give the label of the first of these settings."""
        return next((self.plan.labels[name] for name in names if name in self.plan.labels), Phrase(", ".join(names)))

    def _compare(self, report: SettingsReport, address: str) -> None:
        self._found = report
        for name in self.plan.changes:
            found = values.find(report, name)
            label = self.labelled([name])
            if found is None:
                self._refuse(Phrase(NOT_THERE, {"address": address, "what": label}))
                return
            setting = found[1]
            if setting.kind is SettingKind.SECRET or name not in self.plan.before:
                continue
            before = self.plan.before[name]
            if setting.value != before:
                now, then = values.words(setting, setting.value), values.words(setting, before)
                self._refuse(Phrase(CHANGED_MEANWHILE, {"what": label, "now": now, "before": then}))

    def _refuse(self, why: Phrase) -> None:
        self.problem = why
        raise ChangedMeanwhile("it is not as it was when the change was shown")  # ``problem`` says it in whole

    async def look(self, device: Driver) -> Phrase | None:
        """See the new values; in the conversation that wrote them nobody knows whether it still answers."""
        if device is self._given:
            return None
        self.progress = WAITING
        report = await able(device, Settings).read_settings()
        if not self.absence.is_over():
            return None
        if not self.awaits_restart and not all(self._is_seen(report, name) for name in self.plan.changes):
            return None
        self.report, self.reached = report, device.target
        if self.awaits_restart:
            return TAKEN_UNTIL_RESTART
        if self.plan.secrets:
            return CONFIRMED_BUT_SECRETS
        return CONFIRMED_AFTER_RESTART if self.absence.has_begun else CONFIRMED

    def _is_seen(self, report: SettingsReport, name: str) -> bool:
        if name in self.plan.secrets:
            return True
        found = values.find(report, self._name_now(report, name))
        wanted = self.plan.changes[name]
        return wanted == "" if found is None else found[1].value == wanted  # a row that was emptied may have gone

    def _name_now(self, report: SettingsReport, name: str) -> str:
        """Give what a setting of a row is called by now: one that was added or made anew is known by its key."""
        start, _dot, rest = name.partition(".")
        row, _dot, what = rest.rpartition(".")
        key = next((section.key for section in report.sections if section.name == start), "")
        if not row or not key:
            return name
        wanted = self.plan.changes.get(f"{start}.{row}.{key}")
        if wanted is None and self._found is not None and (before := values.find(self._found, f"{start}.{row}.{key}")):
            wanted = before[1].value
        rows = [one.row for one in report if one.name == f"{start}.{one.row}.{key}" and one.value == wanted]
        return f"{start}.{row if row in rows or not rows else rows[0]}.{what}"

    def reach(self, target: Target) -> Target:
        """Go to the new address, port and login once they were written.

        Where the portal asked another address than the controller told of, both are tried in turn.
        """
        if not self.sent:
            return target
        self.absence.ask()
        plan, attempt = self.plan, next(self._attempts)
        address, port = plan.changes.get("network.address"), plan.carried(Carries.PORT)
        known = plan.before.get("network.address") == target.address
        if self.awaits_restart:
            address = port = None  # it goes on where it was
        if isinstance(address, str) and (known or attempt % 2 == 0):
            target = replace(target, address=address)
        if isinstance(port, int):
            target = replace(target, port=port)
        login = dict(target.credential)
        if plan.carried(Carries.LOGIN) is not None:
            login["username"] = plan.carried(Carries.LOGIN)
        if plan.carried(Carries.PASSWORD) is not None:
            login["password"] = plan.carried(Carries.PASSWORD)
        return replace(target, credential=login)


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

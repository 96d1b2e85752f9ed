"""What is said to a device to read, write or forget its settings. No database in here."""

# mypy: disable-error-code="type-abstract"

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
from apps.drivers.contract import NEW, Carries, Driver, SettingKind, Settings, SettingsReport, SettingValue, Target

LONGEST_CONTACT = 120.0  # seconds: some hundred questions, of which slow controllers answer ten a second
READ = Phrase(gettext_noop("The settings were read."))
CONFIRMED = Phrase(gettext_noop("It answers again and shows the new values."))
CONFIRMED_BUT_SECRETS = Phrase(
    gettext_noop("It answers again and shows the new values; a password cannot be read back.")
)
RESET = Phrase(gettext_noop("It answers again; it took the order to set itself back."))
CHANGED_MEANWHILE = gettext_noop(
    "Changed meanwhile, so nothing was written: %(what)s is %(now)s, it was %(before)s when the change was shown."
)
NOT_THERE = gettext_noop("Nothing was written: %(address)s has no such setting any more (%(what)s).")
READING = Phrase(gettext_noop("Reading the present values…"))
WRITING = gettext_noop("Writing: %(what)s")
WAITING = Phrase(gettext_noop("Written. Waiting until the controller answers again with the new values…"))


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

    def carried(self, what: Carries) -> SettingValue:
        """Give the new value of what our connection hangs on; None where that does not change."""
        return next((self.changes[name] for name, carried in self.carries.items() if carried is what), None)


class ReadOrder(Order):
    """Read the settings; nothing is changed."""

    deadline = LONGEST_CONTACT
    report: SettingsReport | None = None

    async def give(self, device: Driver | None) -> Phrase | None:
        """Read."""
        self.report = await able(device, Settings).read_settings()
        return READ

    async def look(self, device: Driver) -> Phrase | None:
        """There is nothing to look for."""
        return READ


class WriteOrder(Order):
    """Look whether all is as it was shown, write once, and see the new values in a conversation of its own."""

    deadline = LONGEST_CONTACT

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.report: SettingsReport | None = None
        self.about: Sequence[str] = ()  # what is being written
        self.accepted: list[str] = []  # what was written before
        self.progress = READING  # read by another thread
        self.reached: Target | None = None  # by which the last look was made
        self._given: Driver | None = None
        self.problem: Phrase | None = None  # why nothing was written
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
        self.progress = WAITING
        return None

    def labelled(self, names: Sequence[str]) -> Phrase:
        """Give the label of the first of these settings."""
        return next((self.plan.labels[name] for name in names if name in self.plan.labels), Phrase(", ".join(names)))

    def _compare(self, report: SettingsReport, address: str) -> None:
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
        if not all(self._is_seen(report, name) for name in self.plan.changes):
            return None
        self.report, self.reached = report, device.target
        return CONFIRMED_BUT_SECRETS if self.plan.secrets else CONFIRMED

    def _is_seen(self, report: SettingsReport, name: str) -> bool:
        if name in self.plan.secrets:
            return True
        found = values.find(report, self._name_now(report, name))
        return found is not None and found[1].value == self.plan.changes[name]

    def _name_now(self, report: SettingsReport, name: str) -> str:
        """Give what a setting of a row that was added is called by now: the row is known by its key."""
        start, row, what = name.partition(f".{NEW}.")
        if not row:
            return name
        key = next((section.key for section in report.sections if section.name == start), "")
        wanted = self.plan.changes.get(f"{start}.{NEW}.{key}")
        rows = (one.row for one in report if one.name == f"{start}.{one.row}.{key}" and one.value == wanted)
        return f"{start}.{next(rows, NEW)}.{what}"

    def reach(self, target: Target) -> Target:
        """Go to the new address, port and login once they were written.

        Where the portal asked another address than the controller told of, both are tried in turn.
        """
        if not self.sent:
            return target
        plan, attempt = self.plan, next(self._attempts)
        address, port = plan.changes.get("network.address"), plan.carried(Carries.PORT)
        known = plan.before.get("network.address") == target.address
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


class ResetOrder(Order):
    """Order the reset to what it came with; seen is only that it answers again."""

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
        await device.check()
        return RESET

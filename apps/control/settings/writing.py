"""What is said to a device to change its settings: read, write what is not as wanted, see it. No database in here.

It may be said again some minutes later. Values are written, nothing is switched over: to begin with reading, and to
write only what still differs, does no harm.
"""

# mypy: disable-error-code="type-abstract"

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import count, product
from typing import Any

from django.utils.translation import gettext_noop

from apps.components import contact
from apps.control.orders import able
from apps.control.settings import values
from apps.control.settings.orders import Absence, Reporting
from apps.core.phrases import Phrase
from apps.drivers.contract import Carries, Driver, SettingKind, Settings, SettingsReport, SettingValue, Target
from apps.protocols.errors import ContactError, Unreachable

CONFIRMED = Phrase(gettext_noop("It answers again and shows the new values."))
CONFIRMED_BUT_SECRETS = Phrase(
    gettext_noop("It answers again and shows the new values; a password cannot be read back.")
)
CONFIRMED_AFTER_RESTART = Phrase(gettext_noop("It was restarted, answers again and shows the new values."))
CONFIRMED_LATER = Phrase(gettext_noop("It shows the new values by now: they took effect later."))
TAKEN_UNTIL_RESTART = Phrase(
    gettext_noop("It took the change and says that it counts only once the controller was restarted.")
)
CHANGED_MEANWHILE = gettext_noop(
    "Changed meanwhile, so nothing was written: %(what)s is %(now)s, it was %(before)s when the change was shown."
)
CHANGED_BY_NOW = gettext_noop(
    "Not written again: %(what)s is %(now)s by now, neither as it was (%(before)s) nor as it was to be (%(wanted)s)."
)
NOT_THERE = gettext_noop("Nothing was written: %(address)s has no such setting any more (%(what)s).")
READING = Phrase(gettext_noop("Reading the present values…"))
WRITING = gettext_noop("Writing: %(what)s")
WAITING = Phrase(gettext_noop("Written. Waiting until the controller answers again with the new values…"))
RESTARTING = Phrase(gettext_noop("Written. The controller wants a restart for it, and is told to restart…"))

ADDRESS = "network.address"
Place = tuple[str, int | None]
"""An address and a port."""


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

    def shows(self, name: str) -> bool:
        """Say whether one can see of a setting that it was written: not of a secret, nor of what stays as it is."""
        return name not in self.secrets and (name not in self.before or self.before[name] != self.changes[name])

    def moves(self, *what: Carries) -> bool:
        """Say whether it changes one of these: where the controller is, by which way its packets go."""
        return any(carried in what for carried in self.carries.values())


class WriteOrder(Reporting):
    """Look whether all is as it was shown, write what shall change, and see the new values in another conversation."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tries = 1  # the one that is under way, or was the last
        self.about: Sequence[str] = ()  # what is being written
        self.accepted: list[str] = []  # what was written before
        self.is_half_done = False  # what is being written takes several orders, and the first was taken
        self.progress = READING  # read by another thread
        self.reached: Target | None = None  # by which the last look was made
        self.problem: Phrase | None = None  # why nothing was written
        self.awaits_restart = False  # it was taken, and counts later
        self.absence = Absence()
        self._given: Driver | None = None
        self._found: SettingsReport | None = None  # right before it was written for the first time
        self._planned: dict[str, str] = {}  # what a setting was called when the change was shown, by what it is now
        self._may_have: set[str] = set()  # what was written, or may have been
        self._answered: Place | None = None  # where it answered last since something was written
        self._begins_at: Place | None = None
        self._is_further = False
        self._attempts = count()

    @property
    def is_taken(self) -> bool:  # type: ignore[override]  # others are given once
        """Whether it took all that was written."""
        return set(self.plan.changes) <= set(self.accepted)

    def again(self) -> None:
        """Let it be given once more."""
        self.about, self.is_half_done, self.progress = (), False, READING
        self._begins_at, self._is_further, self.tries = self._answered, True, self.tries + 1

    async def give(self, device: Driver | None) -> Phrase | None:
        """Write what was agreed to and is not so already, unless the device is not as it was."""
        machine = able(device, Settings)
        self._given = device
        report = await machine.read_settings()
        changes = self._left(report, device.target.address if device is not None else "")
        if not changes and device is not None:
            self.report, self.reached = report, device.target
            return CONFIRMED_LATER
        await self._write(machine, changes)
        if machine.wants_restart and self.plan.restart:
            self.progress = RESTARTING
            self.absence.begin()
            await machine.restart_controller()
        self.awaits_restart = machine.wants_restart and not self.plan.restart
        self.progress = WAITING
        return None

    async def _write(self, machine: Settings, changes: Mapping[str, SettingValue]) -> None:
        writing: Any = machine.write_settings(changes)
        try:
            async with aclosing(writing):
                async for names in writing:
                    planned = [self._planned[name] for name in names]
                    self.accepted += [name for name in self.about if name not in planned]
                    self.is_half_done = not set(planned).isdisjoint(self.about)
                    self.about, self.sent = planned, True
                    self._may_have.update(planned)
                    self.progress = Phrase(WRITING, {"what": self.labelled(planned)})
        except Unreachable:
            raise
        except ContactError:
            self._may_have.difference_update(self.about)  # refused by its own word
            raise
        self.accepted += self.about
        self.about = ()

    def labelled(self, names: Sequence[str]) -> Phrase:
        """Give the label of the first of these settings."""
        return next((self.plan.labels[name] for name in names if name in self.plan.labels), Phrase(", ".join(names)))

    def _left(self, report: SettingsReport, address: str) -> dict[str, SettingValue]:
        """Give what is to be written: at first all of it, later what is not yet as wanted."""
        is_first, found = self._found is None, {}
        self._found = self._found or report
        for planned, wanted in self.plan.changes.items():
            if not is_first and self._is_done(report, planned):
                continue
            name = planned if is_first else self._name_now(report, planned)
            self._planned[name] = planned
            self._check(report, name, address, is_first=is_first)
            found[name] = wanted
        return found

    def _is_done(self, report: SettingsReport, name: str) -> bool:
        return self._is_seen(report, name) if self.plan.shows(name) else name in self.accepted

    def _check(self, report: SettingsReport, name: str, address: str, *, is_first: bool) -> None:
        """Refuse to write over what somebody else changed."""
        planned, found = self._planned[name], values.find(report, name)
        label = self.labelled([planned])
        if found is None:
            self._refuse(Phrase(NOT_THERE, {"address": address, "what": label}))
            return
        setting = found[1]
        if setting.kind is SettingKind.SECRET or planned not in self.plan.before:
            return
        before = self.plan.before[planned]
        if setting.value == before:
            return
        now, then = values.words(setting, setting.value), values.words(setting, before)
        told: dict[str, str | Phrase] = {"what": label, "now": now, "before": then}
        if not is_first:
            told["wanted"] = values.words(setting, self.plan.changes[planned])
        self._refuse(Phrase(CHANGED_MEANWHILE if is_first else CHANGED_BY_NOW, told))

    def _refuse(self, why: Phrase) -> None:
        self.problem = why
        raise ChangedMeanwhile("it is not as it was when the change was shown")  # ``problem`` says it in whole

    async def look(self, device: Driver) -> Phrase | None:
        """See the new values; in the conversation that wrote them nobody knows whether it still answers."""
        if device is self._given:
            return None
        self.progress = WAITING
        report = await able(device, Settings).read_settings()
        self._answered = device.target.address, device.target.port
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
        """Go to the new address, port and login once they were written, or may have been."""
        if not self.sent:
            return target
        self.absence.ask()
        address, port = self._place(target)
        login = dict(target.credential)
        for word, what in (("username", Carries.LOGIN), ("password", Carries.PASSWORD)):
            if (value := self._now(what)) is not None:
                login[word] = value
        return replace(target, address=address, port=port, credential=login)

    def _now(self, what: Carries) -> SettingValue:
        """Give the value of what our connection hangs on, where it may be the new one by now."""
        names = (name for name, carried in self.plan.carries.items() if carried is what and name in self._may_have)
        return next((self.plan.changes[name] for name in names), None)

    def _place(self, target: Target) -> Place:
        """Give where it is asked now: where it went, by all that is known.

        Where the portal asked another address than the controller told of, both are tried in turn; so are the new and
        the former place where it may not have taken the new one. A further try begins where it answered last.
        """
        attempt = next(self._attempts)
        if self.awaits_restart:
            return target.address, target.port  # it goes on where it was
        if self._begins_at is not None:
            place, self._begins_at = self._begins_at, None
            return place
        address = self.plan.changes.get(ADDRESS) if ADDRESS in self._may_have else None
        port = self._now(Carries.PORT)
        addresses = [address, target.address] if isinstance(address, str) else [target.address]
        ports = [port, target.port] if isinstance(port, int) else [target.port]
        if not self._is_further:
            known = self.plan.before.get(ADDRESS) == target.address
            addresses, ports = addresses[:1] if known else addresses, ports[:1]
        places = list(product(addresses, ports))
        return places[attempt % len(places)]

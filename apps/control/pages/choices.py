"""What may be ordered from a page, as its buttons call it: each is an operation with its arguments."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.control.operations import (
    BOOT,
    CAP,
    CLEAR_LOG,
    COLLECT,
    LAMP,
    LOWEST_CAP,
    OPERATIONS,
    POWER,
    WAKE,
    Arguments,
)
from apps.core import scoping
from apps.drivers.contract import BootDevice, Capability


@dataclass(frozen=True, slots=True)
class Choice:
    """One button. ``harsh``: what runs on the machine may be damaged."""

    operation: str
    icon: str
    note: Promise | str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    harsh: bool = False
    typed: str = ""  # what somebody types before many machines are forced; the number follows
    asks: bool = False  # a form in the dialog asks for the arguments; those here stand for any
    go: Promise | str = ""  # the button of that form; else it is called as the order

    @property
    def label(self) -> str:
        """Give what its job will be called; what a form asks for is still to be chosen."""
        operation = OPERATIONS[self.operation]
        return str(operation.label if self.asks else operation.title(operation.clean(self.arguments)))

    @property
    def permission(self) -> str:
        """Give the permission that it needs."""
        operation = OPERATIONS[self.operation]
        return operation.permission(operation.clean(self.arguments))

    @property
    def capability(self) -> Capability | None:
        """Give what a way of managing has to be able to do."""
        return OPERATIONS[self.operation].capability


_HARDWARE = gettext_lazy(
    "This acts by the hardware, whatever the operating system is doing: unsaved data is lost. Leave the BIOS setup "
    "before, where it is open: else the controller stops reporting."
)
_CAP = gettext_lazy(
    "The power may not fall to the cap: the controller slows processors and memory down, and can do no more once they "
    "are fully throttled. What it draws is shown with the component; it is measured to ±10 %."
)
_BY_OS = gettext_lazy("The operating system is asked to end; it may take its time, or refuse.")

CHOICES: Mapping[str, Choice] = {
    "power.on": Choice(
        POWER,
        "power",
        "",
        {"action": "on"},
    ),
    "power.shutdown": Choice(POWER, "power", _BY_OS, {"action": "shutdown"}),
    "power.reboot": Choice(POWER, "refresh", _BY_OS, {"action": "reboot"}),
    "power.off": Choice(POWER, "power", _HARDWARE, {"action": "off"}, harsh=True, typed="force off"),
    "power.cycle": Choice(POWER, "refresh", _HARDWARE, {"action": "cycle"}, harsh=True, typed="power cycle"),
    "power.reset": Choice(POWER, "refresh", _HARDWARE, {"action": "reset"}, harsh=True, typed="reset"),
    "power.nmi": Choice(
        POWER,
        "bolt",
        gettext_lazy("The operating system writes its memory out and stops, as it is set up to."),
        {"action": "nmi"},
        harsh=True,
        typed="interrupt",
    ),
    "boot": Choice(
        BOOT,
        "player-play",
        gettext_lazy("It counts when the machine starts the next time; nothing is restarted now."),
        {"device": BootDevice.NONE.value},
        asks=True,
        go=gettext_lazy("Set the boot device"),
    ),
    "lamp.on": Choice(
        LAMP,
        "bulb",
        gettext_lazy("It stays lit until somebody puts it out."),
        {"lit": True},
    ),
    "lamp.off": Choice(LAMP, "bulb", "", {"lit": False}),
    "cap": Choice(CAP, "plug", _CAP, {"watts": LOWEST_CAP}, asks=True, go=gettext_lazy("Set the power cap")),
    "uncap": Choice(CAP, "plug", gettext_lazy("It may draw again what it needs."), {"watts": None}),
    "wake": Choice(
        WAKE,
        "power",
        gettext_lazy("A packet is sent to the network cards that the machines have told of."),
    ),
    "clear_log": Choice(
        CLEAR_LOG,
        "trash",
        gettext_lazy(
            "The devices forget what they wrote down. What the portal has read of it stays, and so do alerts."
        ),
        harsh=True,
    ),
}
PLANNED: Mapping[str, Choice] = {
    **{name: choice for name, choice in CHOICES.items() if name == "boot" or not choice.asks},
    "collect": Choice(COLLECT, "refresh", ""),
}
"""What the form of a remote batch offers: to collect now, components and their list have a button of their own."""

SEPARATED = frozenset({"power.off", "boot", "cap"})  # begin a new section of the menu


def is_by_manager(name: str) -> bool:
    """Say whether nobody but the manager of a controller gives this order."""
    choice = CHOICES[name]
    return OPERATIONS[choice.operation].by_manager(choice.arguments)


def name_of(operation: str, arguments: Arguments) -> str:
    """Give the name of the button that orders this; "" where none does exactly this."""
    for name, choice in PLANNED.items():
        found = OPERATIONS[choice.operation]
        if choice.operation == operation and (operation == BOOT or found.clean(choice.arguments) == dict(arguments)):
            return name
    return ""


def choice_of(operation: str, arguments: Arguments) -> Choice:
    """Give how an order looks on pages, with exactly its arguments."""
    name = name_of(operation, arguments)
    alike = next(choice for choice in (*PLANNED.values(), *CHOICES.values()) if choice.operation == operation)
    return replace(PLANNED[name] if name else alike, arguments=dict(arguments))


@dataclass(frozen=True, slots=True)
class MenuLine:
    """One button of the menu."""

    name: str
    choice: Choice
    separated: bool


def menu(names: Iterable[str]) -> list[MenuLine]:
    """Lay out buttons in their order."""
    return [MenuLine(name, CHOICES[name], name in SEPARATED) for name in names]


def offered(
    user: Any,
    group_id: int | None,
    capabilities: Iterable[Capability] | None,
    *,
    wakes: bool,
    actions: Container[str] | None = None,
) -> list[str]:
    """Give the orders that a user may give: in a group, or anywhere where none is named; None can do all.

    ``actions`` are those that the devices offer themselves.
    """
    able = None if capabilities is None else frozenset(capabilities)
    return [
        name for name, choice in CHOICES.items() if _can(choice, able, actions, wakes) and _may(user, choice, group_id)
    ]


def _can(choice: Choice, able: frozenset[Capability] | None, actions: Container[str] | None, wakes: bool) -> bool:
    if choice.operation == WAKE:
        return wakes
    if choice.operation == POWER and actions is not None and choice.arguments["action"] not in actions:
        return False
    return able is None or choice.capability in able


def _may(user: Any, choice: Choice, group_id: int | None) -> bool:
    if group_id is None:
        return scoping.may_somewhere(user, choice.permission)
    return scoping.may(user, choice.permission, group_id)

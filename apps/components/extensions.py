"""What upper apps may add to components, from ``AppConfig.ready()``."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from apps.core.phrases import Phrase
from apps.core.registries import Registry
from apps.protocols.errors import ContactError

if TYPE_CHECKING:
    from apps.components.services.registration import NewComponent

RegistrationCheck = Callable[["Sequence[NewComponent]"], Sequence[Phrase]]
"""Looks at what is about to be registered and gives the reasons against it; none lets it pass."""

RemovalHook = Callable[[Sequence[int]], None]
"""Removes what an app keeps of components (by id) where no foreign key does it; runs in its transaction."""

JoinHook = Callable[[int, int], None]
"""Takes the ids of the component that stays and of the one that goes; runs before the one that goes is removed."""

Collector = Callable[[Sequence[int]], Mapping[int, ContactError | None]]
"""Polls interfaces (by id) and reads their inventory now, out of turn; gives per interface None or what went wrong.

Several may be registered; an interface is refreshed when all of them managed. It runs outside any event loop.
"""

registration_checks: Registry[RegistrationCheck] = Registry("registration check")
removal_hooks: Registry[RemovalHook] = Registry("removal hook")
join_hooks: Registry[JoinHook] = Registry("join hook")
collectors: Registry[Collector] = Registry("collector")
tabs: Registry[Any] = Registry("tab")
panels: Registry[Any] = Registry("panel")

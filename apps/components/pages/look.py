"""One look at a component's page: what its tabs and panels are made from, read once however many of them need it."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, TypeVar, cast

from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.components.models import Component, ManagementInterface
from apps.core import scoping
from apps.drivers import registry
from apps.drivers.contract import Capability

T = TypeVar("T")


class Look:
    """Somebody looks at a component."""

    def __init__(self, request: HttpRequest, component: Component) -> None:
        self.request = request
        self.component = component
        self._read: dict[str, Any] = {}

    def once(self, what: str, read: Callable[[], T]) -> T:
        """Read something for the first panel that asks, and give the same to the others."""
        if what not in self._read:
            self._read[what] = read()
        return cast(T, self._read[what])

    def may(self, permission: str) -> bool:
        """Say whether the user holds a permission on the component."""
        return scoping.may(self.request.user, permission, self.component.group_id)

    @cached_property
    def interfaces(self) -> list[ManagementInterface]:
        """Give the ways in which it is managed."""
        return list(self.component.interfaces.select_related("credential").order_by("pk"))

    @cached_property
    def capabilities(self) -> frozenset[Capability]:
        """Give what the drivers of its interfaces can do together."""
        specs = registry.specs()
        return frozenset().union(*(specs[row.driver].capabilities for row in self.interfaces if row.driver in specs))

    @cached_property
    def origins(self) -> dict[int, tuple[str, str]]:
        """Give what its interfaces are called, in short and in full, so that values can say whose they are.

        Nothing where there is only one. Two of one kind are told apart by their addresses.
        """
        if len(self.interfaces) < 2:
            return {}
        specs = registry.specs()
        labels = {row.pk: _(specs[row.driver].label) if row.driver in specs else row.driver for row in self.interfaces}
        short = {
            row.pk: specs[row.driver].short or labels[row.pk] if row.driver in specs else row.driver
            for row in self.interfaces
        }
        times = Counter(short.values())
        return {
            row.pk: (
                short[row.pk] if times[short[row.pk]] == 1 else f"{short[row.pk]} {row.address}",
                f"{labels[row.pk]} {row.address}",
            )
            for row in self.interfaces
        }

    @property
    def silent(self) -> bool:
        """Say whether none of its enabled interfaces answered the last time: what is shown of it may be old."""
        return all(row.last_error_code or row.last_answer_at is None for row in self.interfaces if row.enabled)


def common_origin(interface_ids: Iterable[int | None]) -> int | None:
    """Give the one interface by which all of some values came, so that it is said once; None where several did."""
    found = set(interface_ids)
    return found.pop() if len(found) == 1 else None

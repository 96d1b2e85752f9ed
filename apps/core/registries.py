"""A place where upper apps put what a lower app offers to call: hooks, checks, tabs, panels."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Named entries in the order of their registration; a name is taken once."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> T:
        """Put one entry in; registering the same name for something else is a mistake of ours."""
        if self._entries.setdefault(name, entry) is not entry:
            raise ValueError(f"{self.what} {name!r} is registered twice")
        return entry

    def register(self, name: str) -> Callable[[T], T]:
        """Decorate a function or class to put it in."""
        return lambda entry: self.add(name, entry)

    def get(self, name: str) -> T:
        """Give one entry; KeyError when there is none."""
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[T]:
        return iter(tuple(self._entries.values()))

    def items(self) -> list[tuple[str, T]]:
        """Give names and entries."""
        return list(self._entries.items())

"""What a process holds and does not need is given back."""

import gc
import weakref

import psutil
import pytest

from apps.system import tidying
from tests.system.waiting import until


class Knot:
    """Held by nothing but itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def rare_collector():
    before = gc.get_threshold()
    gc.set_threshold(1_000_000, *before[1:])
    yield
    gc.set_threshold(*before)


def test_garbage_does_not_wait_for_the_collector(rare_collector, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = weakref.ref(Knot())
    assert lost() is not None
    monkeypatch.setattr(tidying, "EVERY", 0.01)
    tidying.begin()
    until(lambda: lost() is None, "the knot is collected", 10)
    monkeypatch.undo()


def test_freed_memory_is_returned_to_the_system() -> None:
    private = psutil.Process().memory_info
    held = [b"%d" % number * 4000 for number in range(20_000)]  # below the size that malloc maps by itself
    kept = held[-1]
    grown = private().rss
    del held
    tidying.tidy()
    assert grown - private().rss > 100 * 2**20
    assert len(kept) == 20_000

"""Whom a shutdown asks first, whatever order the ways of managing stand in."""

from itertools import permutations

import pytest

from apps.control.shutting_down import Way, in_order
from apps.drivers.contract import ShutsDownBy

pytestmark = pytest.mark.one_database

EXTENSION, AGENT, UPDATE_AGENT, CONTROLLER = ShutsDownBy
WAYS = [Way(1, CONTROLLER), Way(2, UPDATE_AGENT), Way(3, AGENT), Way(4, EXTENSION)]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_agents_in_the_operating_system_come_before_the_controller_in_every_combination(number):
    rank = {EXTENSION: 0, AGENT: 1, UPDATE_AGENT: 2, CONTROLLER: 3}
    for ways in permutations(WAYS, number):
        found = in_order(ways)
        assert sorted(found, key=lambda way: way.interface) == sorted(ways, key=lambda way: way.interface)
        assert [rank[way.by] for way in found] == sorted(rank[way.by] for way in ways)


def test_who_does_not_answer_comes_after_all_that_do():
    for ways in permutations([Way(1, EXTENSION, 2), Way(2, AGENT, 3), Way(3, UPDATE_AGENT), Way(4, CONTROLLER)]):
        assert [way.by for way in in_order(ways)] == [UPDATE_AGENT, CONTROLLER, EXTENSION, AGENT]


def test_of_two_of_a_kind_the_older_one_comes_first():
    for ways in permutations([Way(7, CONTROLLER), Way(3, CONTROLLER), Way(5, CONTROLLER)]):
        assert [way.interface for way in in_order(ways)] == [3, 5, 7]

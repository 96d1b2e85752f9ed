"""A login that nobody has accepted yet: who is asked, over all processes, and what it costs to find that out."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.conf import settings as live_settings

from apps.components import contact, noting, offers
from apps.components.models import Credential
from apps.components.offers import Login
from apps.components.services import checks, credentials
from apps.core import together
from apps.core.actors import SYSTEM
from tests.components.offering import DEVICES, LONG, refuses, takes, work
from tests.controllers import PASSWORD, USERNAME, controllers, loop_thread
from tests.core.broker import Broker
from tests.factories import make_component, make_credential, make_interface

SHARED = Login(7, 3, devices=2 * DEVICES)
FIRST, SECOND = range(1, DEVICES + 1), range(DEVICES + 1, 2 * DEVICES + 1)


@pytest.fixture(autouse=True)
def _much_patience(monkeypatch) -> None:
    monkeypatch.setattr(offers, "PATIENCE", LONG)


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory, settings) -> Iterator[Broker]:
    started = Broker(tmp_path_factory.mktemp("b"))
    settings.EVENTS_REDIS_URL = f"unix://{started.socket}"
    together.forget()
    started.start()
    yield started
    started.stop()
    together.forget()


@pytest.fixture
def calls(broker: Broker, monkeypatch) -> list[str]:
    """What was asked of the broker."""
    made: list[str] = []
    run = together.Script.run

    def counted(script, key, *values):
        told = run(script, key, *values)
        made.append(told[0].decode() if isinstance(told, list) else f"told {told.decode()}")
        return told

    monkeypatch.setattr(together.Script, "run", counted)
    return made


def both(answer, login=SHARED):
    """Have two pieces of work offer a login at once; gives who was asked."""
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda components: work(components, answer, login), (FIRST, SECOND))
        return [component for asked in found for component in asked]


def test_two_processes_offer_a_wrong_password_to_two_devices_in_all(broker):
    environment = {**os.environ, "REDIS_URL": live_settings.EVENTS_REDIS_URL}
    command = [sys.executable, "-m", "tests.components.offering"]
    running = [
        subprocess.Popen([*command, str(first)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for first in (1, DEVICES + 1)
    ]
    for one in running:
        one.stdin.write(b"now\n")
        one.stdin.flush()
    found = [one.communicate(timeout=60)[0].split() for one in running]
    assert [one.returncode for one in running] == [0, 0]
    assert sum(map(len, found)) == offers.ENOUGH


def test_two_loops_offer_a_wrong_password_to_two_and_what_is_new_or_asked_by_hand_to_two_more(calls):
    assert len(both(refuses)) == 2
    assert both(refuses) == []  # also by work that begins later
    assert len(both(refuses, replace(SHARED, version=4))) == 2  # it was changed
    assert len(work(FIRST, refuses, replace(SHARED, by_hand=True))) == 2
    assert work(FIRST, takes, SHARED) == []
    assert sorted(work(FIRST, takes, replace(SHARED, by_hand=True))) == list(FIRST)  # it was mended at the devices
    assert sorted(work(SECOND, takes, SHARED)) == list(SECOND)


def test_a_refusal_that_is_written_down_counts_when_the_count_is_lost(broker):
    written = replace(SHARED, refused=frozenset({99}))
    assert len(both(refuses, written)) == 1
    assert both(refuses, written) == []
    assert both(refuses, replace(SHARED, version=4, refused=frozenset({98, 99}))) == []


def test_a_good_one_costs_four_calls_of_each_piece_of_work_and_none_where_two_devices_use_it(calls):
    assert sorted(work(FIRST, takes, SHARED)) == list(FIRST)
    assert calls == ["ask", "ask", "told accepted", "told nothing"]
    calls.clear()
    for component in FIRST:
        work([component], takes, Login(component, 1, devices=2))
    assert calls == []
    assert sorted(both(takes)) == [*FIRST, *SECOND]
    assert Counter(calls)["ask"] in (2, 3, 4)  # whoever comes second hears of it, or finds it out


def test_a_device_that_lets_in_before_it_refuses_is_counted_as_well(broker):
    async def another():
        offer = await offers.Offers().begin(SHARED, 99)
        assert offer is not None
        offer.accept()
        offer.refuse()
        offer.end()

    asyncio.run(another())
    assert len(both(refuses)) == 1


def test_whoever_is_silent_holds_up_others_for_the_patience_and_then_ever_more_are_asked(broker, monkeypatch):
    monkeypatch.setattr(offers, "PATIENCE", 0.4)
    monkeypatch.setattr(offers, "WIDER", 0.4)
    begun: dict[int, float] = {}

    async def silent(component):
        begun[component] = asyncio.get_running_loop().time()
        await asyncio.sleep(4)
        return False

    assert sorted(work(FIRST, silent, SHARED)) == list(FIRST)  # an outage is seen: all were asked before one refused
    order = sorted(begun.values())
    assert order[2] - order[0] >= 0.4


def test_one_that_answers_behind_silent_ones_ends_the_wait_of_all(broker, monkeypatch):
    monkeypatch.setattr(offers, "PATIENCE", 0.4)
    monkeypatch.setattr(offers, "WIDER", 60.0)

    async def first_two_silent(component):
        await asyncio.sleep(2 if component <= 2 else 0.01)
        return component > 2

    assert sorted(work(FIRST, first_two_silent, SHARED)) == list(FIRST)


def test_each_counts_alone_while_the_broker_is_away_and_asks_it_no_more(broker, caplog):
    broker.stop()
    assert len(work(FIRST, refuses, SHARED)) == 2
    assert len(work(SECOND, refuses, SHARED)) == 2
    assert [record.name for record in caplog.records] == ["apps.core.together"]
    broker.start()
    together.forget()
    assert len(both(refuses)) == 2


@pytest.mark.django_db
def test_two_shards_of_polls_at_once_offer_a_wrong_password_of_forty_controllers_to_two(broker):
    places = [f"127.0.78.{number}" for number in range(1, 2 * DEVICES + 1)]
    with loop_thread() as thread, controllers(thread, places) as rack:
        credential = make_credential("password", username=USERNAME, password="wrong")
        ways = [
            make_interface(make_component(), driver="bmc", address=one.address, port=one.port, credential=credential)
            for one in rack
        ]
        shards = [contact.lines(ways[part::2], contact.POLL) for part in (0, 1)]
        with ThreadPoolExecutor(2) as pool:
            outcomes = [one for shard in pool.map(_poll, shards) for one in shard]
        assert sorted(one.sessions.asked for one in rack) == [0] * (2 * DEVICES - 2) + [1, 1]
        assert {outcome.error.code for outcome in outcomes} == {"authentication_failed"}
        noting.note(outcomes)
        assert Credential.objects.get(pk=credential.pk).is_latched

        job = checks.check([way.component for way in ways], SYSTEM)  # more than one handful would hold
        checks.run_check(job.pk)
        assert sum(one.sessions.asked for one in rack) == 4

        credentials.change(credential, SYSTEM, fields={"password": PASSWORD})
        with ThreadPoolExecutor(2) as pool:
            outcomes = pool.map(_poll, [contact.lines(ways[part::2], contact.POLL) for part in (0, 1)])
        assert [outcome.error for shard in outcomes for outcome in shard] == [None] * 2 * DEVICES


def _poll(lines):
    async def one(line):
        try:
            async with contact.open(line, deadline=20.0):
                return noting.Outcome(line)
        except contact.ContactError as error:
            return noting.Outcome(line, error)

    async def all_of_them():
        return await asyncio.gather(*map(one, lines))

    return asyncio.run(all_of_them())

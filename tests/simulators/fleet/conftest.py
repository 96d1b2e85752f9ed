"""A small fleet of every kind whose clock stands still, on addresses of its own."""

from collections.abc import AsyncIterator

import pytest

from apps.protocols.snmp import SnmpClient
from apps.simulators.fleet import Agents, Fleet, serve
from apps.simulators.fleet.plan import Login, Plan, Spec

NOW = 1_780_000_000.0  # 2026-05-28 20:26:40 UTC
LOGIN = Login("watcher", "SHA-256", "authpass123", "AES-128", "privpass123")
DEVICES = (
    Spec("core", "switch", "127.31.0.1", model="QX-S5548GT-4X2Q", place="Tokyo"),
    Spec("edge", "switch", "127.31.0.2", model="E528", place="Tokyo", uplink="core"),
    Spec("web", "linux", "127.31.0.3", role="web", place="Tokyo", uplink="edge"),
    Spec("books", "windows", "127.31.0.4", role="office", place="Tokyo", uplink="edge"),
    Spec("gate", "router", "127.31.0.5", model="IX2215", place="Tokyo", uplink="edge", trap_version="1"),
    Spec("power", "ups", "127.31.0.6", place="Tokyo", uplink="edge"),
    Spec("power-2", "ups", "127.31.0.7", model="powernet", place="Tokyo", uplink="edge", trap_version="1"),
    Spec("tapes", "tape-library", "127.31.0.8", place="Tokyo", trap_version="1"),
)
PLAN = Plan(DEVICES, seed="test", domain="example.net", login=LOGIN)


@pytest.fixture
def fleet() -> Fleet:
    """One device of each kind, connected with each other."""
    return Fleet(PLAN)


@pytest.fixture
async def agents(fleet: Fleet) -> AsyncIterator[Agents]:
    """Its agents; whatever they would send is kept in ``agents.sent``."""
    agents = await serve(fleet)
    agents.set_clock(NOW)
    yield agents
    agents.close()


@pytest.fixture
async def client() -> AsyncIterator[SnmpClient]:
    """Our SNMP client on the test's own event loop."""
    async with SnmpClient() as client:
        yield client

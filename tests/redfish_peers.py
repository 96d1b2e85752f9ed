"""Redfish services on loopback: our simulated iLO, and small scripted ones for what no proper service does."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from apps.drivers.contract import Target
from apps.simulators.redfish import Machine, Service, serve
from apps.simulators.redfish.certificate import make
from tests.programs import Program, programs

SECRET = "s3cret-Geheimnis"
USER = "watcher"
Pair = tuple[Path, Path]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(scope="session")
def redfish_certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    """Two certificates with their keys: the one that a service shows, and another."""
    folder = tmp_path_factory.mktemp("redfish")
    return make(folder, "ilo"), make(folder, "other")


@pytest.fixture
async def ilo(redfish_certificates: tuple[Pair, Pair]) -> AsyncIterator[Service]:
    """A simulated iLO that knows USER with SECRET."""
    shown, other = redfish_certificates
    service = await serve(Machine(), certificate=shown, other_certificate=other, username=USER, password=SECRET)
    try:
        yield service
    finally:
        await service.close()


def target(port: int, *, timeout: float = 1.0, state: Mapping[str, Any] | None = None, **parameters: Any) -> Target:
    """How our drivers reach a service on loopback."""
    login = {"username": USER, "password": SECRET}
    return Target("127.0.0.1", port, "password", login, parameters, timeout=timeout, state=state or {})


@asynccontextmanager
async def scripted(certificate: Pair, answer: Handler) -> AsyncIterator[int]:
    """Serve whatever a function answers, over TLS; gives the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def tree(resources: Mapping[str, Mapping[str, Any]], asked: list[str] | None = None) -> Handler:
    """Answer from a dictionary of paths; what is not in it is 404."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if asked is not None:
            asked.append(f"{request.method} {request.path_qs}")
        found = resources.get(request.path_qs)
        if found is None:
            found = resources.get(request.path) if "$" not in request.query_string else None
        return web.json_response(found) if found is not None else web.json_response({}, status=404)

    return answer


class IloProgram(Program):
    """A simulated iLO in a process of its own; it knows USER with SECRET."""


@contextmanager
def ilo_programs(number: int, *options: str) -> Iterator[list[IloProgram]]:
    """Simulated iLOs in a process of their own."""
    words = [*["127.0.0.1:0"] * number, "--password", SECRET, *options]
    with programs(IloProgram, "apps.simulators.redfish", words, number) as found:
        yield found


@pytest.fixture(scope="module")
def ilo_program() -> Iterator[IloProgram]:
    """A simulated iLO for tests that have no event loop of their own."""
    with ilo_programs(1) as (program,):
        yield program

"""Serves a machine's resources over TLS: sessions, expansion, orders, and the faults of a service."""

import asyncio
import base64
import binascii
import json
import secrets
import ssl
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from apps.simulators.redfish import configuration, places, traps, tree
from apps.simulators.redfish.configuration import Account
from apps.simulators.redfish.event_service import EventService
from apps.simulators.redfish.machine import Fault, Machine
from apps.simulators.redfish.refusal import Refusal

RESTARTS_IN = 8.0  # seconds
_FREE = frozenset({"/redfish", "/redfish/v1", "/redfish/v1/"})


@dataclass(slots=True)
class Service:
    """A running service: what it was asked, and who is signed in."""

    machine: Machine
    address: str
    port: int = 0
    username: str = "watcher"
    password: str = field(default="secret", repr=False)
    most_sessions: int = 8
    sessions: dict[str, str] = field(default_factory=dict, repr=False)  # number → token
    opened: int = 0  # sessions since the start
    requests: "deque[tuple[str, str]]" = field(default_factory=lambda: deque(maxlen=2000))  # method, path with query
    lasts: int = 3  # requests that it still answers once it begins to die
    slow_below: str = f"{places.SYSTEM}/Storage"
    restarts_in: float = RESTARTS_IN  # seconds in which nobody is there while the controller starts anew
    events: EventService = field(init=False)
    _context: ssl.SSLContext | None = field(default=None, repr=False)
    _certificates: tuple[tuple[Path, Path], ...] = field(default=(), repr=False)
    _runner: web.AppRunner | None = field(default=None, repr=False)
    _site: web.TCPSite | None = field(default=None, repr=False)
    _moving: "asyncio.Task[None] | None" = field(default=None, repr=False)
    _lost: bool = False
    _starts: bool = False
    _left: int = 0

    def __post_init__(self) -> None:
        """Let the first account be the one by which tests sign in, and have the events of the machine told."""
        self.machine.configuration.accounts.setdefault("1", Account(self.username, self.password))
        self.events = EventService(self.machine)

    def begin(self, fault: Fault) -> None:
        """Let a fault begin."""
        if fault not in self.machine.faults:
            self.machine.begin(fault)
            self._left = self.lasts
            self.events.tell(fault, begins=True)
        self._show_certificate()

    def mend(self, fault: Fault) -> None:
        """Let it end."""
        if fault in self.machine.faults:
            self.machine.mend(fault)
            self.events.tell(fault, begins=False)
        self._show_certificate()

    def _show_certificate(self) -> None:
        """Show the second certificate while the fault lasts, from the next connection on."""
        wrong = Fault.WRONG_CERTIFICATE in self.machine.faults
        if self._context is not None and len(self._certificates) > 1:
            self._context.load_cert_chain(*self._certificates[1 if wrong else 0])

    async def close(self) -> None:
        """Stop."""
        await self.events.close()
        if self._moving is not None:
            self._moving.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    # --- answering ----------------------------------------------------------------------------------------------------

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        path = request.path
        if (self._starts or self._is_dead()) and request.transport is not None:
            request.transport.abort()
            return web.Response()
        self.requests.append((request.method, request.path_qs))
        if self.machine.look is not None:
            self.machine.look(self.machine)
        if Fault.SILENT in self.machine.faults or self._lost:
            await asyncio.sleep(3600)
        if Fault.SLOW in self.machine.faults and path.startswith(self.slow_below):
            await asyncio.sleep(self.machine.slowness)
        if request.method == "POST" and path == places.SESSIONS:
            return self._sign_in(await _body(request))
        if path not in _FREE and not self._knows(request):
            return _error(401, "Base.1.18.NoValidSession", "There is no valid session established.")
        match request.method:
            case "GET":
                return self._show(request)
            case "DELETE":
                return self._remove(path)
            case "PATCH":
                return self._change(path, await _body(request), request.headers.get("If-Match"))
            case "POST":
                return self._order(path, await _body(request))
        return _error(405, "Base.1.18.OperationNotAllowed", "The HTTP method is not allowed on this resource.")

    def _is_dead(self) -> bool:
        """Say whether it answers no more; while it dies, each request is one of the last."""
        if Fault.DIES not in self.machine.faults:
            return False
        self._left -= 1
        if self._left < 0:
            self.sessions.clear()
        return self._left < 0

    @property
    def connections(self) -> int:
        """Give how many are open to it."""
        server = self._runner.server if self._runner is not None else None
        return len(server.connections) if server is not None else 0

    def _knows(self, request: web.Request) -> bool:
        if token := request.headers.get("X-Auth-Token"):
            return token in self.sessions.values()
        kind, _space, given = request.headers.get("Authorization", "").partition(" ")
        try:
            login = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        name, _colon, password = login.partition(":")
        known = self.machine.configuration.account_of(name, password) is not None
        return kind == "Basic" and known and not self._refuses()

    def _refuses(self) -> bool:
        return Fault.WRONG_PASSWORD in self.machine.faults

    def _sign_in(self, login: dict[str, Any]) -> web.Response:
        account = self.machine.configuration.account_of(login.get("UserName"), login.get("Password"))
        if account is None or self._refuses():
            return _error(401, "iLO.2.19.UnauthorizedLoginAttempt", "The login was not successful.")
        if len(self.sessions) >= self.most_sessions or Fault.SESSION_FULL in self.machine.faults:
            return _error(503, "Base.1.18.SessionLimitExceeded", "The session establishment failed: limit exceeded.")
        self.opened += 1
        number, token = str(self.opened), secrets.token_hex(16)
        self.sessions[number] = token
        place = f"{places.SESSIONS}/{number}"
        # An iLO names itself as it thinks it is called.
        headers = {"X-Auth-Token": token, "Location": f"https://ilo.example.net{place}"}
        return web.json_response({"@odata.id": place, "Id": number}, status=201, headers=headers)

    def _remove(self, path: str) -> web.Response:
        if path.startswith(f"{places.SUBSCRIPTIONS}/"):
            if self.events.destinations.pop(path, None) is None:
                return _error(404, "Base.1.18.ResourceMissingAtURI", "The resource is missing.")
            return web.json_response({})
        if path.startswith(f"{traps.DESTINATIONS}/"):
            if not self.machine.configuration.traps.remove(path):
                return _error(404, "Base.1.18.ResourceMissingAtURI", "The resource is missing.")
            self.machine.configuration.writes.append(path)
            return web.json_response({})
        return self._sign_out(path)

    def _sign_out(self, path: str) -> web.Response:
        number = path.removeprefix(f"{places.SESSIONS}/")
        if self.sessions.pop(number, None) is None:
            return _error(404, "Base.1.18.ResourceMissingAtURI", "The resource is missing.")
        return web.json_response({})

    def _show(self, request: web.Request) -> web.Response:
        found = tree.resources(self.machine)
        found |= {path: {"@odata.id": path, **body} for path, body in self.events.resources()}
        resource = found.get(request.path) or found.get(f"{request.path}/")
        if resource is None:
            return _error(404, "Base.1.18.ResourceMissingAtURI", "The resource is missing.")
        resource = dict(resource)
        if "Members" in resource:
            skip = request.query.get("$skip", "0")
            members = resource["Members"][int(skip) if skip.isdigit() else 0 :]
            if request.query.get("$expand", "").startswith("."):
                members = [found[member["@odata.id"]] for member in members]
            resource["Members"] = members
        return web.json_response(resource)

    def _change(self, path: str, change: dict[str, Any], tag: str | None) -> web.Response:
        machine = self.machine
        version = machine.configuration.version(path)
        if version is not None:
            if tag not in (None, "*", version):
                return _error(412, "Base.1.18.PreconditionFailed", "The ETag does not match.")
            return self._configure(path, change)
        if path == places.SYSTEM and isinstance(change.get("LocationIndicatorActive"), bool):
            machine.lit = change["LocationIndicatorActive"]
        elif path == places.SYSTEM and isinstance(change.get("Boot"), dict):
            machine.boot |= {name.removeprefix("BootSourceOverride"): value for name, value in change["Boot"].items()}
            if machine.boot["Enabled"] == "Disabled":
                machine.boot["Target"] = "None"
        elif path in self.events.destinations and change.keys() == {"SNMP"}:
            self.events.destinations[path] |= change
        elif path == places.MANAGER:
            try:
                machine.configuration.clock.set(change)
            except Refusal as refusal:
                return _error(refusal.status, refusal.code, refusal.text)
            machine.configuration.writes.append(path)
        elif path == f"{places.CHASSIS}/Power":
            machine.cap = int(change["PowerControl"][0]["PowerLimit"]["LimitInWatts"] or 0)
        else:
            return _error(400, "Base.1.18.PropertyNotWritable", "The property is a read only property.")
        return web.json_response({})

    def _configure(self, path: str, change: dict[str, Any]) -> web.Response:
        before = self.machine.configuration.address
        try:
            needs_restart = self.machine.configuration.change(path, change)
        except Refusal as refusal:
            return _error(refusal.status, refusal.code, refusal.text)
        if Fault.LOST_BY_CHANGE in self.machine.faults and path in (configuration.PORT, configuration.SERVICES):
            self._lost = True
        elif self.machine.configuration.address != before:
            self._moving = asyncio.get_running_loop().create_task(self._move(self.machine.configuration.address))
        if needs_restart:
            return _told(200, "iLO.2.19.ResetRequired", "A management processor reset is required.")
        return web.json_response({})

    async def _move(self, address: str) -> None:
        """Answer at another address of loopback instead; any other address is only written down."""
        if self._runner is None or self._site is None or not address.startswith("127."):
            return
        former = self._site
        self._site = web.TCPSite(self._runner, address, self.port, ssl_context=self._context)
        await self._site.start()
        self.address = address
        await former.stop()

    async def _restart(self) -> None:
        """Be away for a while, then answer again, with nobody signed in; or never, where a change loses it."""
        self._starts = True
        self.sessions.clear()
        await asyncio.sleep(self.restarts_in)
        self.machine.configuration.restarted()
        self._starts, self._lost = False, Fault.LOST_BY_CHANGE in self.machine.faults

    def _order(self, path: str, order: dict[str, Any]) -> web.Response:
        if path in (configuration.ACCOUNTS, traps.DESTINATIONS):
            try:
                place = self.machine.configuration.add(path, order)
            except Refusal as refusal:
                return _error(refusal.status, refusal.code, refusal.text)
            return web.json_response({"@odata.id": place}, status=201, headers={"Location": place})
        if path == configuration.RESET_TO_DEFAULTS:
            self.machine.configuration.reset()
            return web.json_response({})
        if path == configuration.RESTART:
            self._moving = asyncio.get_running_loop().create_task(self._restart())
            return _told(200, "iLO.2.19.ResetInProgress", "A management processor reset is in progress.")
        if path == places.SUBSCRIPTIONS:
            status, said = self.events.subscribe(order)
            if status != 201:
                return _error(400, "Base.1.18.PropertyUnknown", said)
            return web.json_response({}, status=201, headers={"Location": f"https://ilo.example.net{said}"})
        if path == places.SUBMIT_TEST:
            self.events.test(order)
            return web.json_response({})
        kind = str(order.get("ResetType"))
        if path == places.RESET or (path == places.COLD_BOOT and kind == "ColdBoot"):
            status = self.machine.reset(kind)
            if status == 400:
                return _error(400, "Base.1.18.ActionParameterNotSupported", "The reset type is not supported.")
            if status == 409:
                return _error(409, "iLO.2.19.InvalidOperationForSystemState", "The system state does not allow it.")
            return web.json_response({})
        for log, place in ((self.machine.iml, places.IML), (self.machine.iel, places.IEL)):
            if path == f"{place}/{places.CLEAR}":
                log.clear()
                self.machine.note(log, "Log cleared.", "Informational", "Maintenance")
                return web.json_response({})
        return _error(404, "Base.1.18.ResourceMissingAtURI", "The resource is missing.")


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        found = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _error(status: int, code: str, text: str) -> web.Response:
    return _told(status, code, text)


def _told(status: int, code: str, text: str) -> web.Response:
    told = [{"MessageId": code, "Message": text}]
    error = {"code": "iLO.0.10.ExtendedInfo", "message": "See @Message.ExtendedInfo.", "@Message.ExtendedInfo": told}
    return web.json_response({"error": error}, status=status)


async def serve(
    machine: Machine,
    address: str = "127.0.0.1",
    port: int = 0,
    *,
    certificate: tuple[Path, Path],
    other_certificate: tuple[Path, Path] | None = None,
    **settings: Any,
) -> Service:
    """Answer for a machine until the service is closed; ``certificate`` are the files of certificate and key."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    further = (other_certificate,) if other_certificate is not None else ()
    service = Service(machine, address, _context=context, _certificates=(certificate, *further), **settings)
    service.events.loop = asyncio.get_running_loop()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    service._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await service._runner.setup()
    service._site = web.TCPSite(service._runner, address, port, ssl_context=context)
    await service._site.start()
    service.port = service._runner.addresses[0][1]
    return service

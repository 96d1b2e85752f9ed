"""Consoles in one loop, with a device that shows a login prompt: who types, who looks on, what ends one."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user
from django.test import Client, RequestFactory
from django.utils import timezone

from apps.access import middleware
from apps.access.services import addresses, whereabouts
from apps.components import contact
from apps.components.models import CONSOLE, ManagementInterface, Reservation
from apps.components.services import reservations
from apps.control.consoles import door, frames, relay, sessions, transcripts
from apps.control.consoles.server import Keeper
from apps.control.models import ConsoleEnd, ConsoleSession
from apps.control.pages import console as console_page
from apps.control.services import consoles, own_pages
from apps.core import events, stream
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry
from apps.core.objects import link_to
from tests.control.conftest import machine
from tests.factories import make_component, make_group, make_interface, make_user

pytestmark = pytest.mark.django_db(transaction=True)


class Page:
    """What a browser page is to the console process: a stream of frames each way."""

    def __init__(self, keeper: Keeper, path: str) -> None:
        self.keeper = keeper
        self.path = path
        self.said = b""
        self.states: list[dict] = []
        self.other: list[dict] = []

    async def attach(self, interface: ManagementInterface, user, *, take: bool = False, **rights: bool) -> "Page":
        self.reader, self.writer = await asyncio.open_unix_connection(self.path)
        may = {"may_force": False, "may_take_over": False, **rights}
        person = {"user_id": user.pk, "name": user.username, "address": "192.0.2.7", "request": "", **may}
        self.say({"do": "attach", "interface": interface.pk, "person": person, "take": take})
        return self

    def say(self, frame: frames.Frame) -> None:
        self.writer.write(frames.pack(frame))

    async def until(self, reached: Callable[["Page"], bool]) -> None:
        """Read on until something is so."""
        async with asyncio.timeout(30):
            while not reached(self):
                frame = await frames.read(self.reader)
                assert frame is not None, (self.states[-1:], self.other)
                if isinstance(frame, bytes):
                    self.said += frame
                else:
                    (self.states if frame["is"] == "state" else self.other).append(frame)

    @property
    def state(self) -> dict:
        return self.states[-1] if self.states else {"phase": ""}


@pytest.fixture
def play(tmp_path, settings):
    """Run a story with a console process of its own."""
    settings.DATA_DIR = tmp_path

    def run(story: Callable[[Callable[[], Page], Keeper], Awaitable[None]]) -> None:
        async def whole() -> None:
            keeper = Keeper()
            path = str(tmp_path / "c.sock")
            server = await asyncio.start_unix_server(keeper.serve, path)
            try:
                await story(lambda: Page(keeper, path), keeper)
            finally:
                await keeper.stop()
                server.close()

        asyncio.run(whole())

    return run


@pytest.fixture
def olga():
    return make_user("operator", username="olga")


@pytest.fixture
def otto():
    return make_user("operator", username="otto")


def opened(page: Page) -> bool:
    return page.state["phase"] == "open"


def ended(page: Page) -> bool:
    return page.state["phase"] == "ended"


def test_one_types_another_reads_and_an_administrator_takes_over(play, olga, otto):
    device = machine()

    async def story(new, keeper):
        first = await new().attach(device, olga)
        await first.until(lambda page: opened(page) and b"login: " in page.said)
        first.say(b"root\rhidden\r")
        await first.until(lambda page: b"[root@" in page.said)
        second = await new().attach(device, otto, may_force=True)  # which operators may
        await second.until(lambda page: opened(page) and b"[root@" in page.said)  # what was said before is there
        assert (second.state["holder"], second.state["holds"], second.state["takes"]) == ("olga", False, False)
        assert not second.state["closes"]
        second.say({"do": "close"})
        second.say(b"rm -rf\r")
        second.say({"do": "take"})
        await second.until(lambda page: page.other == [{"is": "refused"}])
        assert b"rm -rf" not in second.said
        third = await new().attach(device, otto, may_take_over=True)
        third.say({"do": "take"})
        await third.until(lambda page: opened(page) and page.state["holds"])
        await first.until(lambda page: {"is": "taken", "by": "otto"} in page.other)
        await first.until(lambda page: page.state["holder"] == "otto")
        assert not first.state["holds"]
        third.say({"do": "break"})
        await third.until(lambda page: b"[break]" in page.said)
        third.say({"do": "close"})
        await first.until(ended)
        assert first.state["end"] == ConsoleEnd.CLOSED

    play(story)
    (row,) = ConsoleSession.objects.all()
    assert (row.opened_by_name, row.holder_name, row.end) == ("olga", "otto", "closed")
    acts = list(AuditEntry.objects.filter(family="console").order_by("pk").values_list("action", "login"))
    assert acts == [("console.open", "olga"), ("console.take_over", "otto"), ("console.close", "otto")]
    kept = transcripts.path_of(row.pk)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert b"login: root" in kept.read_bytes()
    assert b"hidden" not in kept.read_bytes()
    assert not Reservation.objects.filter(purpose=CONSOLE).exists()


def test_a_console_in_which_nobody_types_is_closed(play, olga, monkeypatch):
    device = machine()
    rules = consoles.rules()
    monkeypatch.setattr(consoles, "rules", lambda: replace(rules, idle=timedelta(seconds=0.5)))
    monkeypatch.setattr(sessions, "TICK", 0.05)

    async def story(new, keeper):
        page = await new().attach(device, olga)
        await page.until(ended)
        assert page.state["end"] == "idle"

    play(story)
    assert ConsoleSession.objects.get().end == ConsoleEnd.IDLE


def test_it_waits_a_while_for_who_loads_the_page_anew_and_then_closes(play, olga, monkeypatch):
    device = machine()
    monkeypatch.setattr(sessions, "TICK", 0.05)
    monkeypatch.setattr(sessions, "LINGER", 0.5)

    async def story(new, keeper):
        page = await new().attach(device, olga)
        await page.until(opened)
        page.writer.close()
        again = await new().attach(device, olga)
        await again.until(lambda page: opened(page) and page.state["holds"])
        again.writer.close()
        await asyncio.wait(list(keeper._tasks), timeout=30)
        assert not keeper.sessions

    play(story)
    assert ConsoleSession.objects.get().end == ConsoleEnd.LEFT


def test_whoever_may_not_be_here_any_more_is_not_waited_for_and_others_stay(play, olga, otto):
    device = machine()

    async def story(new, keeper):
        first = await new().attach(device, olga)
        await first.until(opened)
        second = await new().attach(device, otto)
        await second.until(opened)
        first.say({"do": "barred"})
        await second.until(lambda page: page.state["holder"] == "" and len(page.state["viewers"]) == 1)
        second.say({"do": "take"})
        await second.until(lambda page: page.state["holds"])
        second.say({"do": "barred"})
        await asyncio.wait(list(keeper._tasks), timeout=10)  # less than what who loads the page anew is waited for
        assert not keeper.sessions

    play(story)
    row = ConsoleSession.objects.get()
    assert (row.end, str(row.get_end_display())) == ("barred", "Nobody who had it open may have it open any more")
    assert AuditEntry.objects.filter(action="console.close", after__end="barred").count() == 1


@pytest.mark.parametrize(("role", "takes"), [("operator", False), ("administrator", True)])
def test_only_administrators_take_over_from_others(role, takes, olga, monkeypatch):
    """What the page's WebSocket is let in with, and what the API closes: by role in the group of the component."""
    group = make_group("here")
    device = machine(make_component("db", group))
    client = Client()
    client.force_login(make_user(role, group))
    request = RequestFactory().get("/", headers={"origin": "http://testserver"})
    request.scope, request.user = {relay.RELAYED: True}, get_user(client)
    person = json.loads(console_page.attach(request, device.component_id).content)["person"]
    assert (person["may_force"], person["may_take_over"]) == (True, takes)

    row = ConsoleSession.objects.create(
        component=device.component, interface=device, opened_by=olga, opened_by_name="olga", holder_name="olga"
    )
    closed: list[tuple[int, str]] = []
    monkeypatch.setattr(door, "close", lambda interface, person: closed.append((interface, person.name)) or True)
    assert client.delete(f"/api/v1/consoles/{row.pk}/").status_code == (204 if takes else 403)
    assert len(closed) == (1 if takes else 0)


def test_no_more_are_open_than_the_option_says(play, olga, monkeypatch):
    one, two = machine(), machine()
    rules = consoles.rules()
    monkeypatch.setattr(consoles, "rules", lambda: replace(rules, most=1))

    async def story(new, keeper):
        await (await new().attach(one, olga)).until(opened)
        refused = await new().attach(two, olga)
        await refused.until(lambda page: bool(page.other))
        assert "As many consoles" in refused.other[0]["phrase"]

    play(story)
    assert ConsoleSession.objects.count() == 1


def test_another_program_is_named_and_what_it_has_is_taken_only_by_who_may_force(play, olga):
    device = machine(obedience="refusing")

    async def story(new, keeper):
        page = await new().attach(device, olga, take=True)  # without the right it is as if he had not asked
        await page.until(ended)
        assert page.state["in_use"]
        assert "in use by another program" in page.state["phrase"]
        forced = await new().attach(device, olga, take=True, may_force=True)
        await forced.until(opened)

    play(story)
    assert AuditEntry.objects.filter(action="console.open", after__taken=True).count() == 1


def test_a_device_that_does_not_answer_ends_it_with_its_words(play, olga):
    device = machine(fault="refusing")

    async def story(new, keeper):
        page = await new().attach(device, olga)
        await page.until(ended)
        assert "Nothing listens" in page.state["phrase"]

    play(story)
    assert ConsoleSession.objects.get().end == ConsoleEnd.FAILED


def test_polls_stay_away_while_orders_and_checks_go_on(olga):
    device = machine()
    assert consoles.hold(device.pk, "olga", pauses_polls=True)
    assert reservations.reserve(device.pk, "power", "otto (#1)", timedelta(minutes=1))
    reservations.release(device.pk, "power", "otto (#1)")
    refusals = {purpose: contact.lines([device], purpose)[0].refusal for purpose in ("poll", "power", "check")}
    assert isinstance(refusals["poll"], contact.Busy)
    assert (refusals["power"], refusals["check"]) == (None, None)
    assert consoles.hold(device.pk, "olga", pauses_polls=False)
    assert contact.lines([device], "poll")[0].refusal is None


def test_polls_by_another_way_to_the_same_controller_stay_away_too(olga):
    device = machine()
    ilo = make_interface(device.component, driver="ilo", address="192.0.2.8")
    agent = make_interface(device.component, address="192.0.2.9")
    assert consoles.hold(device.pk, "olga", pauses_polls=True)
    lines = contact.lines([device, ilo, agent], "poll")
    held = {line.interface_id for line in lines if isinstance(line.refusal, contact.Busy)}
    assert held == {device.pk, ilo.pk}
    consoles.release(device.pk)
    assert not Reservation.objects.exists()


def test_an_update_keeps_a_console_away_and_an_order_does_not():
    device = machine()
    reservations.reserve(device.pk, "power", "otto (#1)", timedelta(minutes=1))
    line = consoles.line_of(device.pk)
    assert line is not None
    assert line.refusal is None
    reservations.release(device.pk, "power", "otto (#1)")
    reservations.reserve(device.pk, "firmware", "otto (#2)", timedelta(minutes=1))
    line = consoles.line_of(device.pk)
    assert line is not None
    assert isinstance(line.refusal, contact.Busy)


def test_what_a_process_before_left_open_is_closed(play):
    device = machine()
    ConsoleSession.objects.create(component=device.component, interface=device, opened_by_name="olga", mark="fake")

    async def story(new, keeper):
        left = await sessions.in_thread(consoles.left_over)
        keeper.clear(list(left))
        await asyncio.wait(list(keeper._tasks))

    play(story)
    assert ConsoleSession.objects.get().end == ConsoleEnd.DIED


def test_the_audit_leads_to_what_the_machine_said_whoever_may_open_consoles(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    component = make_component("db-01")
    kept, empty = (
        ConsoleSession.objects.create(component=component, opened_by_name="olga", closed_at=timezone.now())
        for _ in range(2)
    )
    transcript = transcripts.Transcript(kept.pk, 100)
    transcript.write(b"login: ")
    transcript.close()
    for session, place in ((kept, f"/consoles/{kept.pk}/transcript/"), (empty, f"/components/{component.pk}/console/")):
        link = link_to("control.consolesession", session.pk, make_user("operator"))
        assert link is not None
        assert link.url == place
        assert link_to("control.consolesession", session.pk, make_user("viewer")) is None


def test_a_program_fetches_what_the_machine_said_as_the_page_does(client_of, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    component = make_component("db-01")
    kept, empty = (
        ConsoleSession.objects.create(
            component=component, opened_by_name="olga", closed_at=timezone.now(), end=ConsoleEnd.LEFT, transcript_size=7
        )
        for _ in range(2)
    )
    transcript = transcripts.Transcript(kept.pk, 100)
    transcript.write(b"login: ")
    transcript.close()
    operator, viewer = make_user("operator", component.group), make_user("viewer", component.group)
    stranger, url = make_user("operator", make_group("Osaka")), f"/api/v1/consoles/{kept.pk}/transcript/"
    api = client_of(operator)
    assert api.get("/api/v1/consoles/").json()["count"] == 0  # none is open
    listed = api.get("/api/v1/consoles/", {"state": "closed", "component": component.pk}).json()["results"]
    assert [(one["id"], one["end"], one["transcript_size"]) for one in listed] == [
        (kept.pk, "left", 7),
        (empty.pk, "left", 7),
    ]
    assert api.get(f"/api/v1/consoles/{kept.pk}/").json()["opened_by"] == "olga"
    assert api.delete(f"/api/v1/consoles/{kept.pk}/").status_code == 404  # it is closed

    for user, status in ((viewer, 403), (stranger, 404)):
        assert client_of(user).get(url).status_code == status
        assert client_of(user).get("/api/v1/consoles/", {"state": "all"}).json()["count"] == 0
    assert api.get(f"/api/v1/consoles/{empty.pk}/transcript/").status_code == 404
    assert not AuditEntry.objects.filter(action="console.transcript").exists()

    answer = api.get(url, headers={"Accept": "text/plain"})
    page = client_of(operator).get(f"/consoles/{kept.pk}/transcript/")
    for name in ("Content-Type", "Content-Disposition", "Cache-Control"):
        assert answer[name] == page[name]
    assert answer["Content-Type"] == "text/plain"
    assert b"".join(answer.streaming_content) == b"".join(page.streaming_content) == b"login: "
    by_api, by_page = AuditEntry.objects.filter(action="console.transcript")
    assert (by_api.actor_name, by_api.object_id) == (by_page.actor_name, by_page.object_id)


def test_old_consoles_go_with_their_transcripts(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    device = machine()
    rows = [
        ConsoleSession.objects.create(
            component=device.component, interface=device, opened_by_name="olga", closed_at=at, opened_at=at
        )
        for at in (consoles.timezone.now(), consoles.timezone.now() - timedelta(days=400))
    ]
    for row in rows:
        transcript = transcripts.Transcript(row.pk, 4)
        transcript.write(b"too long")
        transcript.close()
    assert transcripts.path_of(rows[0].pk).read_bytes() == b"too "
    assert consoles.forget() == 1
    assert transcripts.kept() == [rows[0].pk]


@pytest.mark.parametrize(
    ("origin", "role", "group", "status"),
    [
        ("http://127.0.0.1", "operator", "own", 200),
        ("http://evil.example", "operator", "own", 403),
        (None, "operator", "own", 403),
        ("http://127.0.0.1", "viewer", "own", 403),
        ("http://127.0.0.1", "operator", "other", 404),
        ("http://127.0.0.1", None, "own", 302),
    ],
)
def test_a_websocket_is_let_in_by_what_pages_are_let_in_by(origin, role, group, status, settings):
    settings.ALLOWED_HOSTS = ["*"]
    here, there = make_group("here"), make_group("there")
    device = machine(make_component("db", here))
    client = Client()
    if role is not None:
        client.force_login(make_user(role, here if group == "own" else there))
    denied = asyncio.run(_handshake(device.component_id, origin, client.cookies))
    expected = [{"type": "websocket.accept"}] if status == 200 else []
    assert [one for one in denied if one["type"] == "websocket.accept"] == expected
    if status != 200:
        assert denied[0]["type"] == "websocket.http.response.start"
        assert denied[0]["status"] == (403 if status == 302 else status)
    else:
        (told, closed) = denied[1:]  # no console process runs here
        assert "console process is not there" in json.loads(told["text"])["text"]
        assert closed["code"] == relay.NO_PROCESS


def test_a_change_of_who_may_do_what_is_looked_at_at_once_and_once_more(play, settings, tmp_path, monkeypatch):
    """By news of it; a process may still go by the addresses that it read a moment ago, so there is a second look."""
    settings.ALLOWED_HOSTS, settings.CONSOLE_SOCKET = ["*"], str(tmp_path / "c.sock")
    monkeypatch.setattr(relay, "RECHECK", 3600.0)
    monkeypatch.setattr(relay, "REMEMBERED", 0.2)
    group = make_group("here")
    device = machine(make_component("db", group))
    user = make_user("operator", group)
    addresses.allow("192.0.2.0/24", "", SYSTEM)
    client = Client()
    client.force_login(user)
    looks: list[bool] = []

    def may_come_from(*about: Any) -> bool:
        looks.append(len(looks) < 2 or whereabouts.may_come_from(*about))  # the handshake, and what is remembered
        return looks[-1]

    monkeypatch.setattr(middleware, "may_come_from", may_come_from)

    async def story(new, keeper):
        sent: list[dict] = []
        received: asyncio.Queue[dict] = asyncio.Queue()
        received.put_nowait({"type": "websocket.connect"})

        async def send(message):
            sent.append(message)
            if b"login: " in (message.get("bytes") or b""):
                await asyncio.to_thread(whereabouts.restrict, user, ["198.51.100.0/24"], SYSTEM)
                stream.hub()._tell_all((events.ACCESS,))

        scope = _scope(device.component_id, "http://127.0.0.1", client.cookies) | {"client": ("192.0.2.7", 4711)}
        async with asyncio.timeout(30):
            await _application()(scope, received.get, send)
        assert sent[-1] == {"type": "websocket.close", "code": relay.REFUSED}
        await asyncio.wait(list(keeper._tasks), timeout=10)

    play(story)
    assert looks == [True, True, False]
    assert ConsoleSession.objects.get().end == ConsoleEnd.BARRED


async def _handshake(component: int, origin: str | None, cookies) -> list[dict]:
    sent: list[dict] = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    await _application()(_scope(component, origin, cookies), receive, send)
    return sent


def _application():
    from esm.asgi import application

    return application


def _scope(component: int, origin: str | None, cookies) -> dict[str, Any]:
    words = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
    headers = [(b"host", b"127.0.0.1"), (b"cookie", words.encode()), (b"upgrade", b"websocket")]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    path = f"/components/{component}/console/attach/"
    return {
        **{"type": "websocket", "asgi": {"version": "3.0"}, "scheme": "ws", "path": path, "raw_path": path.encode()},
        **{"query_string": b"", "root_path": "", "headers": headers, "client": ("127.0.0.1", 4711)},
        **{"server": ("127.0.0.1", 80), "extensions": {"websocket.http.response": {}}},
    }


def test_the_way_to_the_controller_is_a_web_address_and_nothing_else():
    component = make_component("db")
    way = make_interface(component, driver="bmc", address="2001:db8::7")
    assert own_pages.of(component) == "https://[2001:db8::7]/"
    for said, given in (("http://192.0.2.1:8080/x", "http://192.0.2.1:8080/x"), ("javascript:alert(1)", None)):
        way.parameters = {"web_page": said}
        way.save()
        assert own_pages.of(component) == given

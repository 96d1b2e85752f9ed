"""Our Redfish client: signing in and out, certificates, links, and what it refuses to swallow."""

import asyncio
import hashlib
import logging
import ssl
from typing import Any

import pytest
from aiohttp import web

from apps.protocols.errors import AuthenticationFailed, DeviceError, Stage, Unreachable, Unsupported
from apps.protocols.redfish import RedfishClient, RedfishTarget, Refused, client, connection
from apps.simulators.redfish import Fault, Service
from tests.redfish_peers import SECRET, USER, Pair, scripted, tree

ROOT = {"RedfishVersion": "1.6.0", "Systems": {"@odata.id": "/redfish/v1/Systems"}}
SYSTEM = "/redfish/v1/Systems/1"


def reach(port: int, **fields: Any) -> RedfishTarget:
    return RedfishTarget("127.0.0.1", port, USER, SECRET, answer_within=2.0, **fields)


def fingerprint(pair: Pair) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair[0].read_text())).hexdigest()


async def test_a_conversation_signs_in_by_a_session_and_out_again(ilo: Service) -> None:
    async with RedfishClient(reach(ilo.port)) as service:
        assert len(ilo.sessions) == 1
        assert (await service.get(SYSTEM))["PowerState"] == "On"
    assert ilo.sessions == {}
    assert [request for request in ilo.requests if request[0] != "GET"] == [
        ("POST", "/redfish/v1/SessionService/Sessions"),
        ("DELETE", "/redfish/v1/SessionService/Sessions/1"),
    ]


async def test_the_first_certificate_is_kept_and_another_one_gets_nothing(
    ilo: Service, redfish_certificates: tuple[Pair, Pair]
) -> None:
    first, second = map(fingerprint, redfish_certificates)
    async with RedfishClient(reach(ilo.port)) as service:
        assert service.pin == first
    ilo.begin(Fault.WRONG_CERTIFICATE)
    ilo.requests.clear()
    with pytest.raises(DeviceError) as failed:
        async with RedfishClient(reach(ilo.port, pin=first)):
            pytest.fail("signed in")
    assert failed.value.stage is Stage.PORT
    assert failed.value.params == {"address": "127.0.0.1", "shown": second, "known": first}
    assert list(ilo.requests) == []
    async with RedfishClient(reach(ilo.port, pin=second)) as service:
        assert (await service.get(SYSTEM))["Id"] == "1"


async def test_a_refused_login_says_so_and_leaves_nothing_behind(
    ilo: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ilo.begin(Fault.WRONG_PASSWORD)
    with pytest.raises(AuthenticationFailed) as failed:
        async with RedfishClient(reach(ilo.port)):
            pytest.fail("signed in")
    assert str(failed.value) == "127.0.0.1 refuses the login of watcher"
    assert ilo.opened == 0
    assert SECRET not in repr(reach(ilo.port)) + caplog.text


async def test_no_free_session_is_worth_another_try_and_no_refused_login(ilo: Service) -> None:
    ilo.begin(Fault.SESSION_FULL)
    with pytest.raises(Unreachable) as failed:
        async with RedfishClient(reach(ilo.port)):
            pytest.fail("signed in")
    assert (failed.value.stage, failed.value.retry_helps) == (Stage.SIGN_IN, True)
    assert str(failed.value) == "127.0.0.1 has no free session: too many are signed in"


async def test_whoever_is_interrupted_leaves_no_session(ilo: Service) -> None:
    async def talk() -> None:
        async with RedfishClient(reach(ilo.port)) as service:
            signed_in.set()
            await service.get(f"{SYSTEM}/Storage")

    signed_in = asyncio.Event()
    ilo.begin(Fault.SLOW)
    talking = asyncio.create_task(talk())
    await signed_in.wait()
    talking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await talking
    assert (ilo.opened, ilo.sessions) == (1, {})


async def test_whoever_is_interrupted_while_signing_in_leaves_no_session_either(
    redfish_certificates: tuple[Pair, Pair],
) -> None:
    asked, sessions = asyncio.Event(), []

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            asked.set()
            await asyncio.sleep(0.2)
            sessions.append("1")
            headers = {"X-Auth-Token": "t", "Location": "/redfish/v1/SessionService/Sessions/1"}
            return web.json_response({}, status=201, headers=headers)
        if request.method == "DELETE":
            sessions.remove(request.path.rpartition("/")[2])
        return web.json_response({**ROOT, "SessionService": {}})

    async with scripted(redfish_certificates[0], answer) as port:
        talking = asyncio.create_task(RedfishClient(reach(port)).__aenter__())
        await asked.wait()
        talking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await talking
    assert sessions == []


async def test_a_service_without_sessions_gets_the_login_with_every_request(
    redfish_certificates: tuple[Pair, Pair],
) -> None:
    given = []

    async def answer(request: web.Request) -> web.StreamResponse:
        given.append(request.headers.get("Authorization", ""))
        return web.json_response(ROOT if request.path == "/redfish/v1/" else {"Id": "1"})

    async with scripted(redfish_certificates[0], answer) as port, RedfishClient(reach(port)) as service:
        assert await service.get(SYSTEM) == {"Id": "1"}
    assert given == ["", "Basic d2F0Y2hlcjpzM2NyZXQtR2VoZWltbmlz"]


async def test_a_basic_login_that_is_refused_is_a_refused_login(redfish_certificates: tuple[Pair, Pair]) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(ROOT) if request.path == "/redfish/v1/" else web.json_response({}, status=401)

    async with scripted(redfish_certificates[0], answer) as port, RedfishClient(reach(port)) as service:
        with pytest.raises(AuthenticationFailed):
            await service.get(SYSTEM)


async def test_a_session_that_ended_is_no_refused_login(ilo: Service) -> None:
    async with RedfishClient(reach(ilo.port)) as service:
        ilo.sessions.clear()
        with pytest.raises(Unreachable, match="ended our session"):
            await service.get(SYSTEM)


@pytest.mark.parametrize(
    "link",
    [
        "https://192.0.2.9/redfish/v1/Systems/1",
        "http://127.0.0.1/redfish/v1/Systems/1",
        "//192.0.2.9/redfish/v1",
        "redfish/v1",
        "/\\192.0.2.9/",
        "",
    ],
)
async def test_a_link_to_another_place_is_not_followed(ilo: Service, link: str) -> None:
    async with RedfishClient(reach(ilo.port)) as service:
        with pytest.raises(DeviceError, match="links to another place"):
            await service.get(link)


BODIES = {
    "no JSON": (b"<html>Please sign in</html>", "no Redfish resource"),
    "no object": (b"[1, 2]", "no Redfish resource"),
    "too deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "no Redfish resource"),
    "no service": (b'{"hello": "world"}', "shows no Redfish service"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_what_is_no_resource_is_an_error_of_the_device(
    name: str, redfish_certificates: tuple[Pair, Pair]
) -> None:
    body, said = BODIES[name]

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json")

    async with scripted(redfish_certificates[0], answer) as port:
        with pytest.raises(DeviceError, match=said):
            async with RedfishClient(reach(port)):
                pytest.fail("signed in")


async def test_an_answer_without_end_is_cut(
    redfish_certificates: tuple[Pair, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_BYTES", 100_000)

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_compression(web.ContentCoding.gzip)  # 2 MB become 2 KB on the wire
        await response.prepare(request)
        for _ in range(20):
            await response.write(b" " * 100_000)
        return response

    async with scripted(redfish_certificates[0], answer) as port:
        with pytest.raises(DeviceError, match="answers without end"):
            async with RedfishClient(reach(port)):
                pytest.fail("signed in")


async def test_collections_are_expanded_where_the_service_can_and_paged(
    redfish_certificates: tuple[Pair, Pair],
) -> None:
    asked: list[str] = []
    place = "/redfish/v1/Chassis"
    expanded = {"ExpandQuery": {"NoLinks": True, "Levels": True}}
    resources = {
        "/redfish/v1/": {**ROOT, "ProtocolFeaturesSupported": expanded},
        f"{place}?$expand=.($levels=1)": {
            "Members": [{"@odata.id": f"{place}/1", "Id": "1"}],
            "Members@odata.nextLink": f"{place}?page=2",
        },
        f"{place}?page=2": {"Members": [{"@odata.id": f"{place}/2"}, {"@odata.id": f"{place}/gone"}, "odd"]},
        f"{place}/2": {"Id": "2"},
    }
    async with scripted(redfish_certificates[0], tree(resources, asked)) as port, RedfishClient(reach(port)) as service:
        assert [one["Id"] for one in await service.members(place)] == ["1", "2"]
    assert f"GET {place}/1" not in asked


async def test_a_service_that_promises_expansion_and_refuses_it_is_asked_plainly(
    redfish_certificates: tuple[Pair, Pair],
) -> None:
    place = "/redfish/v1/Chassis"
    resources = {
        "/redfish/v1/": {**ROOT, "ProtocolFeaturesSupported": {"ExpandQuery": {"ExpandAll": True}}},
        place: {"Members": [{"@odata.id": f"{place}/1"}]},
        f"{place}/1": {"Id": "1"},
    }
    async with scripted(redfish_certificates[0], tree(resources)) as port, RedfishClient(reach(port)) as service:
        assert await service.members(place) == [{"Id": "1"}]


async def test_an_order_is_given_again_only_while_the_machine_settles(
    redfish_certificates: tuple[Pair, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SETTLES_AFTER", 0.01)
    orders = []

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            orders.append((await request.json())["ResetType"])
            return web.json_response({}, status=409 if len(orders) < 3 else 204)
        return web.json_response(ROOT)

    async with scripted(redfish_certificates[0], answer) as port, RedfishClient(reach(port)) as service:
        with pytest.raises(Refused) as failed:
            await service.post("/reset", {"ResetType": "ForceRestart"})
        assert (failed.value.status, orders) == (409, ["ForceRestart"])
        await service.post("/reset", {"ResetType": "On"}, while_settling=5.0)
    assert orders == ["ForceRestart", "On", "On"]


async def test_a_change_names_the_version_where_the_service_asks_for_it(
    redfish_certificates: tuple[Pair, Pair],
) -> None:
    tags = []

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "PATCH":
            tags.append(request.headers.get("If-Match"))
            return web.json_response({}, status=200 if tags[-1] == '"7"' else 428)
        return web.json_response(ROOT, headers={"ETag": '"7"'})

    async with scripted(redfish_certificates[0], answer) as port, RedfishClient(reach(port)) as service:
        await service.patch(SYSTEM, {"IndicatorLED": "Lit"})
    assert tags == [None, '"7"']


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (403, Unsupported, "127.0.0.1 does not allow this login to do that: the word ******** is wrong"),
        (404, Unsupported, "127.0.0.1 has no /redfish/v1/Systems/1"),
        (503, Unreachable, "127.0.0.1 is too busy to answer (503)"),
        (400, Refused, "127.0.0.1 answers with error 400: the word ******** is wrong"),
    ],
)
async def test_the_words_of_the_service_are_kept_without_our_secrets(
    status: int, kind: type[Exception], said: str, redfish_certificates: tuple[Pair, Pair]
) -> None:
    error = {"error": {"@Message.ExtendedInfo": [{"Message": f"the word {SECRET} is wrong"}]}}

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(ROOT) if request.path == "/redfish/v1/" else web.json_response(error, status=status)

    async with scripted(redfish_certificates[0], answer) as port, RedfishClient(reach(port)) as service:
        with pytest.raises(kind) as failed:
            await service.get(SYSTEM)
    assert str(failed.value) == said


async def test_the_whole_conversation_has_a_deadline(ilo: Service) -> None:
    async with RedfishClient(reach(ilo.port, whole_within=0.5)) as service:
        ilo.begin(Fault.SILENT)
        with pytest.raises(Unreachable, match="does not answer in time"):
            await service.get(SYSTEM)
        with pytest.raises(Unreachable, match="does not answer in time"):
            await service.get(SYSTEM)
        ilo.mend(Fault.SILENT)
    assert ilo.sessions == {}


async def test_silence_after_the_handshake_is_silence(ilo: Service) -> None:
    ilo.begin(Fault.SILENT)
    with pytest.raises(Unreachable, match="does not answer in time"):
        async with RedfishClient(RedfishTarget("127.0.0.1", ilo.port, USER, SECRET, answer_within=0.2)):
            pytest.fail("signed in")


@pytest.mark.parametrize(("links", "long", "ways"), [(8, 30.0, 1), (9, 30.0, 2), (100, 30.0, 4), (8, 0.01, 4)])
async def test_many_links_are_worth_further_connections_and_few_where_answers_take_long(
    redfish_certificates: tuple[Pair, Pair], monkeypatch: pytest.MonkeyPatch, links: int, long: float, ways: int
) -> None:
    monkeypatch.setattr(client, "LONG", long)
    peers: set[Any] = set()
    resources: dict[str, dict[str, Any]] = {f"/redfish/v1/Drives/{one}": {"Id": str(one)} for one in range(links)}
    resources["/redfish/v1/"] = {"RedfishVersion": "1.6.0"}
    known = tree(resources)

    async def answer(request: web.Request) -> web.StreamResponse:
        peers.add(request.transport and request.transport.get_extra_info("peername"))
        await asyncio.sleep(0.001 if long > 1 else 0.2)
        return await known(request)

    async with (
        scripted(redfish_certificates[0], answer) as port,
        RedfishClient(RedfishTarget("127.0.0.1", port)) as service,
    ):
        found = await service.resolve({"@odata.id": path} for path in resources if "Drives" in path)
    assert [one["Id"] for one in found] == [str(one) for one in range(links)]
    assert len(peers) == ways

"""The front of the web process: what is switched holds for new connections, and open ones go on."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from ipaddress import ip_address

import pytest
from django.db import OperationalError
from django.utils import timezone

from apps.system.tls import places, plain, serving, state
from apps.system.tls.contexts import server_context
from apps.system.tls.issuing import issue, new_authority
from apps.system.tls.material import Material, Wish
from apps.system.tls.places import Places
from apps.system.tls.serving import Front
from apps.system.tls.state import Certified, InForce
from tests.system.tls.files import openssl

WITHIN = 20.0  # seconds


def make(kind: str = "ec-p256") -> Material:
    now = timezone.now()
    return issue(new_authority(kind, now), Wish.of("localhost", ["127.0.0.1", "::1"], kind, 5), now)


class Echo(asyncio.Protocol):
    """Answers each line with itself, and says whether it came encrypted."""

    def __init__(self, gone: Callable[[], None]) -> None:
        self.gone = gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        how = b"tls" if self.transport.get_extra_info("sslcontext") else b"plain"
        self.transport.write(how + b" " + data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone()


class Wished:
    """What the front is told, in the place of the database."""

    def __init__(self) -> None:
        self.answer: tuple[InForce, ssl.SSLContext | None] | Exception = (InForce(names=("portal.example",)), None)

    def read(self, before: InForce, held: object) -> tuple[InForce, ssl.SSLContext | None]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def https(self, material: Material, minimum: str = "1.2", redirect_port: int = 0) -> None:
        now = timezone.now()
        certified = Certified(f"{material.certificate.serial_number:x}", now, now, own=True, renews=True)
        wished = InForce(True, minimum, 0, redirect_port, ("portal.example",), certified)
        self.answer = wished, server_context(material.key_pem, material.chain_pem, minimum)


@pytest.fixture
def wished(monkeypatch) -> Wished:
    found = Wished()
    monkeypatch.setattr(serving, "read", found.read)
    return found


@pytest.fixture
async def front(wished: Wished, settings) -> AsyncIterator[tuple[Front, int]]:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    settings.HTTP_PORT = listening.getsockname()[1]
    settings.CLASSIC_PORT = 0
    made = Front(Echo)
    await made.start([listening], [])
    yield made, settings.HTTP_PORT
    made.stop()
    await asyncio.sleep(0)
    listening.close()
    state.put(InForce())


def trusting(**about: object) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, value in about.items():
        setattr(context, name, value)
    return context


async def opened(port: int, tls: ssl.SSLContext | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port, ssl=tls), WITHIN)


async def say(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], line: bytes) -> bytes:
    reader, writer = connection
    writer.write(line)
    return await asyncio.wait_for(reader.readline(), WITHIN)


def serial(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> str:
    der = connection[1].get_extra_info("ssl_object").getpeercert(binary_form=True)
    text = openssl("x509", "-noout", "-serial", text=ssl.DER_cert_to_PEM_cert(der))
    return text.strip().partition("=")[2].lower().lstrip("0")


async def looked(front: Front, holds: Callable[[], object]) -> None:
    """Have the front look again, as SIGHUP does, and wait until it has."""
    front._wake.set()
    async with asyncio.timeout(WITHIN):
        while not holds():  # noqa: ASYNC110 - it is the state that is waited for
            await asyncio.sleep(0.01)


def number(material: Material) -> str:
    return f"{material.certificate.serial_number:x}"


def serves(material: Material) -> Callable[[], bool]:
    return lambda: state.now().certificate is not None and state.now().certificate.fingerprint == number(material)


async def test_https_is_switched_on_and_off_while_connections_stay_open(front, wished: Wished) -> None:
    made, port = front
    old = await opened(port)
    assert await say(old, b"1\n") == b"plain 1\n"
    material = make()
    wished.https(material)
    await looked(made, serves(material))
    assert await say(old, b"2\n") == b"plain 2\n"
    fresh = await opened(port, trusting())
    assert await say(fresh, b"3\n") == b"tls 3\n"
    assert serial(fresh) == number(material)
    wished.answer = (InForce(), None)
    await looked(made, lambda: not state.now().https)
    assert await say(fresh, b"4\n") == b"tls 4\n"
    plain_again = await opened(port)
    assert await say(plain_again, b"5\n") == b"plain 5\n"
    for _reader, writer in (old, fresh, plain_again):
        writer.close()


async def test_a_new_certificate_of_another_kind_is_what_new_connections_see(front, wished: Wished) -> None:
    made, port = front
    first, second = make("rsa-2048"), make("ec-p256")
    wished.https(first)
    await looked(made, serves(first))
    old = await opened(port, trusting())
    assert (await say(old, b"1\n"), serial(old)) == (b"tls 1\n", number(first))
    wished.https(second)
    await looked(made, serves(second))
    fresh = await opened(port, trusting())
    assert (await say(fresh, b"2\n"), serial(fresh)) == (b"tls 2\n", number(second))
    assert (await say(old, b"3\n"), serial(old)) == (b"tls 3\n", number(first))
    for _reader, writer in (old, fresh):
        writer.close()


async def test_what_cannot_be_done_leaves_things_as_they_are(front, wished: Wished) -> None:
    made, port = front
    material = make()
    wished.https(material)
    await looked(made, serves(material))
    wished.answer = serving.Unusable("the key is away")
    await looked(made, lambda: state.now().trouble == "the key is away")
    wished.answer = OperationalError("the database is away")
    made._wake.set()
    await asyncio.sleep(0.1)
    fresh = await opened(port, trusting())
    assert await say(fresh, b"1\n") == b"tls 1\n"
    fresh[1].close()
    wished.https(material)
    await looked(made, lambda: state.now().trouble == "")


@pytest.mark.parametrize(
    ("minimum", "version", "spoken"),
    [
        *(("1.2", "-tls1", False), ("1.2", "-tls1_1", False), ("1.2", "-tls1_2", True), ("1.2", "-tls1_3", True)),
        *(("1.3", "-tls1_2", False), ("1.3", "-tls1_3", True)),
        *(("1.1", "-tls1", False), ("1.1", "-tls1_1", True), ("1.0", "-tls1", True), ("1.0", "-tls1_3", True)),
    ],
)
async def test_openssl_speaks_the_versions_that_are_allowed(
    front, wished: Wished, minimum: str, version: str, spoken: bool
) -> None:
    made, port = front
    material = make("rsa-2048")
    wished.https(material, minimum)
    await looked(made, serves(material))
    ask = ("s_client", "-connect", f"127.0.0.1:{port}", version, "-cipher", "ALL:@SECLEVEL=0", "-brief")
    said = await asyncio.to_thread(lambda: openssl(*ask, text="Q\n", fails=True))
    names = {"-tls1": "TLSv1", "-tls1_1": "TLSv1.1", "-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}
    assert (f"Protocol version: {names[version]}\n" in said) is spoken, said


WEAK = ("AES128-SHA", "ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256", "NULL-SHA256", "ADH-AES128-SHA")
STRONG = ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305")
CIPHERS = {**dict.fromkeys(WEAK, False), **dict.fromkeys(STRONG, True)}


@pytest.mark.parametrize(("cipher", "spoken"), CIPHERS.items())
async def test_ciphers_without_forward_secrecy_or_authentication_are_not_spoken(
    front, wished: Wished, cipher: str, spoken: bool
) -> None:
    made, port = front
    material = make("rsa-2048")
    wished.https(material)
    await looked(made, serves(material))
    ask = ("s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0", "-brief")
    said = await asyncio.to_thread(lambda: openssl(*ask, text="Q\n", fails=True))
    assert (f"Ciphersuite: {cipher}\n" in said) is spoken, said


REQUEST = "{line} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (REQUEST.format(line="GET /login/?a=1", host="127.0.0.1:1", more=""), "307 https://127.0.0.1:{port}/login/?a=1"),
        (REQUEST.format(line="HEAD /", host="portal.example", more=""), "307 https://portal.example:{port}/"),
        (REQUEST.format(line="GET /", host="[::1]:80", more=""), "307 https://[::1]:{port}/"),
        (REQUEST.format(line="GET //evil.example/", host="127.0.0.1", more=""), "307 https://127.0.0.1:{port}//evil.example/"),
        (REQUEST.format(line="GET /", host="evil.example", more=""), "400"),
        (REQUEST.format(line="GET http://evil.example/", host="127.0.0.1", more=""), "400"),
        (REQUEST.format(line="GET /", host="127.0.0.1", more="Authorization: Bearer x\r\n"), "400"),
        (REQUEST.format(line="POST /login/", host="127.0.0.1", more="Content-Length: 3\r\n") + "a=b", "400"),
        (REQUEST.format(line="GET /", host="127.0.0.1", more="Host: evil.example\r\n"), "400"),
        ("GARBAGE\r\n\r\n", "400"),
        ("\x00\x01\x02\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n" + "X: y\r\n" * 5000 + "\r\n", "400"),
    ],
)  # fmt: skip
async def test_plain_http_is_led_on_or_told(front, wished: Wished, request_: str, wanted: str) -> None:
    made, port = front
    material = make()
    wished.https(material)
    await looked(made, serves(material))
    reader, writer = await opened(port)
    writer.write(request_.encode("latin-1"))
    answer = (await asyncio.wait_for(reader.read(), WITHIN)).decode("latin-1")
    writer.close()
    status, _space, target = wanted.format(port=port).partition(" ")
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert (f"\r\nLocation: {target}\r\n" in answer) is bool(target)
    assert ("Location" in answer) is bool(target)
    assert "Connection: close\r\n" in answer
    assert "evil" not in answer.replace("//evil.example/", "")


async def test_who_says_nothing_and_who_breaks_off_hold_nobody_up(front, wished: Wished, monkeypatch) -> None:
    made, port = front
    monkeypatch.setattr(serving, "FIRST_BYTE_WITHIN", 0.2)
    monkeypatch.setattr(plain, "WITHIN", 0.2)
    material = make()
    wished.https(material)
    await looked(made, serves(material))
    silent = await opened(port)
    half = await opened(port)
    half[1].write(b"GET / HT")
    broken = await opened(port)
    broken[1].write(b"\x16\x03\x01garbage that is no greeting")
    for _reader, writer in [await opened(port) for _ in range(20)]:
        writer.transport.abort()
    fresh = await opened(port, trusting())
    assert await say(fresh, b"1\n") == b"tls 1\n"
    for reader, _writer in (silent, half):
        assert await asyncio.wait_for(reader.read(), WITHIN) == b""
    assert not (await asyncio.wait_for(broken[0].read(), WITHIN)).startswith(b"HTTP")


async def test_the_option_opens_and_closes_the_port_that_leads_on(front, wished: Wished) -> None:
    made, port = front
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        leading = probe.getsockname()[1]
        wished.https(make(), redirect_port=leading)
        await looked(made, lambda: "is taken by" in state.now().trouble)
    material = make()
    wished.https(material)
    await looked(made, serves(material))
    wished.https(material, redirect_port=leading)
    await looked(made, lambda: state.now().redirect_port == leading and made._redirect is not None)
    reader, writer = await opened(leading)
    writer.write(b"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), WITHIN)
    writer.close()
    assert f"Location: https://127.0.0.1:{port}/a\r\n".encode() in answer
    wished.https(material)
    await looked(made, lambda: made._redirect is None)
    await asyncio.sleep(0)
    with pytest.raises(ConnectionError):  # refused, or reset while it closed
        await opened(leading)


async def ended(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bool:
    """Say whether the other side hung up without a word."""
    try:
        return await asyncio.wait_for(connection[0].read(1), WITHIN) == b""
    except ConnectionError:
        return True
    finally:
        connection[1].close()


async def test_one_peer_holds_only_so_many_connections_and_gets_places_back(front, wished, monkeypatch) -> None:
    made, port = front
    made._places = Places(40)
    monkeypatch.setattr(places, "parse", lambda text: ip_address("198.51.100.7"))
    held = [await opened(port) for _ in range(20)]
    for number_, one in enumerate(held):
        assert await say(one, b"%d\n" % number_) == b"plain %d\n" % number_
    assert await ended(await opened(port))
    held.pop()[1].close()
    async with asyncio.timeout(WITHIN):
        while made._places._by_peer["198.51.100.7"] == 20:  # noqa: ASYNC110 - it is the state that is waited for
            await asyncio.sleep(0.01)
    held.append(await opened(port))
    assert await say(held[-1], b"again\n") == b"plain again\n"
    for _reader, writer in held:
        writer.close()


async def test_the_machine_itself_still_gets_through_when_others_have_taken_everything(front, wished) -> None:
    made, port = front
    made._places = Places(40)
    taken = [made._places.take(f"198.51.100.{number}") for number in range(40)]
    assert (sum(one is not None for one in taken), made._places.take("2001:db8::1")) == (30, None)
    near = await opened(port)
    assert await say(near, b"1\n") == b"plain 1\n"
    near[1].close()


def test_peers_are_counted_by_network_and_proxies_are_not(settings) -> None:
    settings.TRUSTED_PROXIES = ["192.0.2.1"]
    counted = Places(1000)
    assert counted.of_one_peer == 500
    for number in range(500):
        assert counted.take(f"2001:db8::{number:x}")
    assert counted.take("2001:db8::ffff:1") is None
    assert counted.take("2001:db8:0:1::1") is not None
    give_back = counted.take("192.0.2.1")
    give_back()
    give_back()
    assert counted._taken == 501
    proxied = [counted.take("192.0.2.1") for _ in range(483)]
    assert None not in proxied
    assert counted.take("192.0.2.1") is None  # the rest is for the machine itself
    assert counted.take("127.0.0.1") is not None


async def test_the_supervisors_question_is_answered_by_the_server_although_https_is_on(front, wished) -> None:
    made, port = front
    material = make()
    wished.https(material)
    await looked(made, serves(material))
    near = await opened(port)
    assert await say(near, b"GET /healthz HTTP/1.0\r\n") == b"plain GET /healthz HTTP/1.0\r\n"
    near[1].close()
    other = await opened(port)
    assert (await say(other, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).startswith(b"HTTP/1.1 307 ")
    other[1].close()


async def test_a_port_that_cannot_be_opened_for_whatever_reason_does_not_end_the_watch(
    front, wished: Wished, monkeypatch
) -> None:
    made, port = front

    def refuse(*_words: object) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(serving.ports, "open_port", refuse)
    first, second = make(), make()
    wished.https(first, redirect_port=9)
    await looked(made, lambda: "No such device" in state.now().trouble)
    monkeypatch.setattr(serving.ports, "addresses", lambda text: text.nothing)
    wished.https(first, redirect_port=10)
    await looked(made, lambda: "nothing" in state.now().trouble)
    wished.https(second)
    await looked(made, serves(second))
    fresh = await opened(port, trusting())
    assert (await say(fresh, b"1\n"), serial(fresh)) == (b"tls 1\n", number(second))
    fresh[1].close()

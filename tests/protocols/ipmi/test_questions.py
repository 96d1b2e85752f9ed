"""What is asked of a controller, and what becomes of its answers: odd controllers, and what no simulator has."""

from collections.abc import Iterator

import pytest

from apps.protocols.errors import AuthenticationFailed, ContactError, DeviceError, Stage, Unreachable, Unsupported
from apps.protocols.ipmi import IpmiTarget, chassis, event_log, fru, repository, signing_in
from apps.protocols.ipmi import session as asking
from apps.protocols.ipmi.about import DeviceId
from apps.protocols.ipmi.repository import read_records
from tests.ipmi_sim import fru_area
from tests.protocols.ipmi.scripted import Reply, ScriptedSession
from tests.protocols.ipmi.test_records import COMPACT, FULL, PART

DEVICE = DeviceId(0x20, 1, "2.45", "2.0", 119, 0x1234, "", has_repository=True)


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    repository.forget()
    yield
    repository.forget()


class Repository:
    """A controller's records: three of them, added at some time, read in pieces of at most so many bytes."""

    def __init__(self, added: int, at_most: int = 255, *, forgets: bool = False) -> None:
        self.records = [FULL, COMPACT, PART]
        self.told = bytes((0x51, 3, 0, 0xFF, 0x0F)) + added.to_bytes(4, "little") + bytes(4) + b"\x22"
        self.at_most = at_most
        self.forgets = forgets

    def __call__(self, netfn: int, command: int, data: bytes) -> Reply:
        assert netfn == 0x0A
        if command == 0x20:
            return 0, self.told
        if command == 0x22:
            return 0, b"\x07\x00"
        if self.forgets and data[4]:
            self.forgets = False
            return 0xC5, b""
        number, offset, size = int.from_bytes(data[2:4], "little"), data[4], data[5]
        record = self.records[number]
        if min(size, len(record)) > self.at_most:
            return 0xCA, b""
        following = number + 1 if number < 2 else 0xFFFF
        return 0, following.to_bytes(2, "little") + record[offset : offset + size]


@pytest.mark.parametrize("at_most", [255, 32, 16, 8])
async def test_records_are_read_whole_or_in_pieces_that_the_controller_can_bear(at_most: int) -> None:
    found = await read_records(ScriptedSession(Repository(1, at_most, forgets=at_most < 255)), DEVICE)
    assert [one.name for one in found.sensors] == ["CPU1 Temp", "PSU1", "PSU2"]
    assert [one.name for one in found.frus] == ["System"]


async def test_records_are_shared_only_where_the_whole_key_is_equal() -> None:
    await read_records(ScriptedSession(Repository(1)), DEVICE)
    alike = ScriptedSession(Repository(1), "192.0.2.2")
    await read_records(alike, DEVICE)
    assert [command for _, command, _ in alike.asked] == [0x20]
    newer = ScriptedSession(Repository(2), "192.0.2.2")
    await read_records(newer, DEVICE)
    assert [command for _, command, _ in newer.asked] == [0x20, 0x23, 0x23, 0x23]
    other_firmware = ScriptedSession(Repository(1), "192.0.2.3")
    await read_records(other_firmware, DeviceId(0x20, 1, "2.46", "2.0", 119, 0x1234, "", has_repository=True))
    assert len(other_firmware.asked) == 4


async def test_records_without_a_time_stamp_belong_to_one_machine() -> None:
    await read_records(ScriptedSession(Repository(0)), DEVICE)
    again = ScriptedSession(Repository(0))
    await read_records(again, DEVICE)
    assert len(again.asked) == 1
    other = ScriptedSession(Repository(0), "192.0.2.2")
    await read_records(other, DEVICE)
    assert len(other.asked) == 4


@pytest.mark.parametrize("code", [0xC8, 0xC9, 0xCA])
async def test_a_part_is_read_in_smaller_pieces_when_the_controller_says_so(code: int) -> None:
    area = fru_area()

    def reply(netfn: int, command: int, data: bytes) -> Reply:
        if command == 0x10:
            return 0, len(area).to_bytes(2, "little") + b"\x00"
        offset, count = int.from_bytes(data[1:3], "little"), data[3]
        return (code, b"") if count > 33 else (0, bytes((count,)) + area[offset : offset + count])

    said = await fru.read_fru(ScriptedSession(reply), 0)
    assert said is not None
    assert said.product["serial_number"] == "SRV0001"


@pytest.mark.parametrize("busy_at", [0x10, 0x11])
async def test_a_part_that_is_busy_says_that_it_has_more_to_say(busy_at: int) -> None:
    area = fru_area()

    def reply(netfn: int, command: int, data: bytes) -> Reply:
        offset = int.from_bytes(data[1:3], "little")
        if command == busy_at and (command == 0x10 or offset):
            return 0x81, b""
        if command == 0x10:
            return 0, len(area).to_bytes(2, "little") + b"\x00"
        return 0, bytes((8,)) + area[offset : offset + 8]

    said = await fru.read_fru(ScriptedSession(reply), 0)
    assert said is not None
    assert not said.whole
    assert "serial_number" not in said.product


@pytest.mark.parametrize(("patch", "asked"), [({}, 2), ({9: 0}, 8), ({0: 0xFF}, 1)])
async def test_a_part_is_read_to_the_end_of_what_it_says_and_no_further(patch: dict[int, int], asked: int) -> None:
    area = bytearray(fru_area().ljust(1024, b"\xff"))
    for place, value in patch.items():  # the length of an area that its maker left out; no area at all
        area[place] = value

    def reply(netfn: int, command: int, data: bytes) -> Reply:
        if command == 0x10:
            return 0, len(area).to_bytes(2, "little") + b"\x00"
        offset, count = int.from_bytes(data[1:3], "little"), data[3]
        return 0, bytes((count,)) + area[offset : offset + count]

    session = ScriptedSession(reply)
    said = await fru.read_fru(session, 0)
    assert (said and said.product["serial_number"]) == (None if 0 in patch else "SRV0001")
    assert [command for _, command, _ in session.asked].count(0x11) == asked


async def test_the_power_meter_of_dcmi_and_its_limit() -> None:
    def reply(netfn: int, command: int, data: bytes) -> Reply:
        assert (netfn, data[0]) == (0x2C, 0xDC)
        if command == 0x02:
            return 0, bytes.fromhex("dc b400 6400 2c01 aa00 00000000 e8030000 40")
        return 0, bytes.fromhex("dc 0000 01 9001 00000000 0000 0000")

    session = ScriptedSession(reply)
    measured = await chassis.read_power(session)
    assert measured is not None
    assert (measured.current, measured.maximum) == (180, 300)
    assert await chassis.read_power_limit(session) == 400
    idle = chassis.power_reading(bytes.fromhex("dc 0000 6400 2c01 aa00 00000000 e8030000 00"))
    assert idle is not None
    assert (idle.current, idle.minimum) == (None, 100)
    assert chassis.power_reading(b"\xdc\x00") is None
    unknown = ScriptedSession(lambda *_: (0xC1, b""))
    assert await chassis.read_power(unknown) is None
    assert await chassis.read_power_limit(unknown) is None


@pytest.mark.parametrize(("seconds", "sent"), [(None, "0001"), (0, "00"), (30, "1e")])
async def test_the_lamp(seconds: int | None, sent: str) -> None:
    session = ScriptedSession(lambda *_: (0, b""))
    await chassis.set_lamp(session, seconds)
    assert session.asked == [(0x00, 0x04, bytes.fromhex(sent))]


@pytest.mark.parametrize(
    ("flags", "sent"),
    [
        (chassis.BootFlags(1), "0580040000 00"),
        (chassis.BootFlags(2, once=False, uefi=True), "05e0080000 00"),
        (chassis.BootFlags(0), "0500000000 00"),
    ],
)
async def test_the_boot_device_is_set_and_the_lock_given_back(flags: chassis.BootFlags, sent: str) -> None:
    session = ScriptedSession(lambda *_: (0, b""))
    await chassis.set_boot(session, flags)
    assert [data.hex() for _, _, data in session.asked] == ["0001", "031f", sent.replace(" ", ""), "0000"]


async def test_an_order_is_never_repeated() -> None:
    session = ScriptedSession(lambda *_: None)
    with pytest.raises(Unreachable):
        await chassis.control(session, chassis.RESET)
    assert session.asked == [(0x00, 0x02, b"\x03")]
    with pytest.raises(Unreachable):
        await session.tell(0x06, 0x01)
    assert len(session.asked) == 1 + 3  # a question is


async def test_a_busy_controller_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "BUSY_PAUSE", 0)
    replies = iter([(0xC0, b""), (0xC0, b""), (0, b"\x01")])
    assert await ScriptedSession(lambda *_: next(replies)).tell(0x06, 0x01) == b"\x01"


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (0xC1, Unsupported, "192.0.2.1 cannot do that: 0xC1 Invalid command"),
        (0xD4, Unsupported, "192.0.2.1 does not allow this account to do that"),
        (0xD5, DeviceError, "192.0.2.1: 0xD5 Command not supported in the present state"),
        (0x81, DeviceError, "192.0.2.1: 0x81"),
    ],
)
async def test_what_a_completion_code_means(code: int, kind: type[ContactError], said: str) -> None:
    with pytest.raises(kind) as raised:
        await ScriptedSession(lambda *_: (code, b"")).tell(0x00, 0x02)
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("words", "kind", "retry_helps"),
    [
        ("Incorrect password provided", AuthenticationFailed, False),
        ("Unauthorized name in RAKP2", AuthenticationFailed, False),
        ("Unauthorized role or privilege level requested in RAKP2", AuthenticationFailed, False),
        ("Insufficient resources to create new session (wait for existing sessions to timeout)", DeviceError, False),
        ("Invalid authentication algorithm", Unsupported, False),
        ("No Cipher suite match with proposed security algorithms", Unsupported, False),
        (signing_in.NO_SUITE_17, Unsupported, False),
        (signing_in.ONLY_IPMI_1_5, Unsupported, False),
        ("timeout", Unreachable, True),
        ("Session no longer connected", Unreachable, True),
        ("", Unreachable, True),
        ("Illegal or unrecognized parameter", DeviceError, False),
    ],
)
def test_what_the_librarys_words_about_a_login_mean(words: str, kind: type[ContactError], retry_helps: bool) -> None:
    with pytest.raises(kind) as raised:
        ScriptedSession(lambda *_: None)._refuse(words)
    assert raised.value.stage is Stage.SIGN_IN
    assert raised.value.retry_helps is retry_helps


def test_a_login_that_ipmi_cannot_carry_is_refused_before_anything_is_sent() -> None:
    for login in ({"username": "a" * 17}, {"password": "あ" * 7}):
        with pytest.raises(Unsupported):
            IpmiTarget("192.0.2.1", **login).login()
    assert "Geheim" not in repr(IpmiTarget("192.0.2.1", username="admin", password="Geheim"))


async def test_an_account_gets_the_privilege_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    session = ScriptedSession(lambda *_: None)
    asked: list[int] = []

    async def try_login(privilege: int) -> str:
        asked.append(privilege)
        if privilege > 2:
            return "Unauthorized role or privilege level requested in RAKP2"
        session._open = object()
        return ""

    monkeypatch.setattr(session, "_try_login", try_login)
    await session.login()
    assert asked == [4, 3, 2]
    asked.clear()
    session._open = None

    async def refused(privilege: int) -> str:
        asked.append(privilege)
        return "Incorrect password provided"

    monkeypatch.setattr(session, "_try_login", refused)
    with pytest.raises(AuthenticationFailed):
        await session.login()
    assert asked == [4]  # a wrong password is offered once


def a_log(netfn: int, command: int, data: bytes) -> Reply:
    """Hold five entries, numbered from 1."""
    assert (netfn, command) == (0x0A, 0x43)
    number = int.from_bytes(data[2:4], "little") or 1
    if number > 5:
        return 0xCB, b""
    following = number + 1 if number < 5 else 0xFFFF
    return 0, following.to_bytes(2, "little") + number.to_bytes(2, "little") + b"\x02" + bytes(13)


async def test_a_log_is_read_in_parts_of_so_many_entries_or_so_much_time(monkeypatch):
    async def numbers(after: int | None, at_most: int) -> tuple[list[int], bool]:
        found, more = await event_log.read_entries(ScriptedSession(a_log), after, at_most)
        return [int.from_bytes(raw[:2], "little") for raw in found], more

    assert await numbers(None, 3) == ([1, 2, 3], True)
    assert await numbers(3, 3) == ([4, 5], False)
    assert await numbers(None, 5) == ([1, 2, 3, 4, 5], False)
    assert await numbers(5, 3) == ([], False)
    assert await numbers(9, 3) == ([], False)
    monkeypatch.setattr(event_log, "_READ_WITHIN", -1.0)  # a controller that is too slow for more than one
    assert await numbers(1, 3) == ([2], True)

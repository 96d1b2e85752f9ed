"""The client reads what net-snmp's own programs and pysnmp read from the same real agent."""

import asyncio
import re

import pytest
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    bulk_walk_cmd,
    usmAesCfb128Protocol,
    usmHMAC192SHA256AuthProtocol,
)

from apps.protocols.errors import AuthenticationFailed, Stage, Unreachable
from apps.protocols.snmp import Absent, SnmpClient, Tag, Varbind
from apps.protocols.snmp.odd_algorithms import _binding
from tests.peers import AUTH_PASSWORD, PRIV_PASSWORD, TYPED_VALUES, WIDE_ROWS, WIDE_TABLE, Snmpd, program

SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.3.0"
NET_SNMP_LINUX = "1.3.6.1.4.1.8072.3.2.10"
USERS = ["none", "md5", "sha", "sha-aes", "sha224-aes", "sha256-aes", "sha384-aes", "sha512-aes"]
ODD_USERS = ["sha512-aes256", "sha-aes192", "sha-des"]


async def _net_snmp(snmpd: Snmpd, command: str, *arguments: str) -> dict[str, str]:
    """What a program of net-snmp prints, strings in hexadecimal, by object identifier."""
    process = await asyncio.create_subprocess_exec(
        program(command, "snmp"),
        *arguments,
        "-Onxt",
        f"127.0.0.1:{snmpd.port}",
        WIDE_TABLE.rpartition(".")[0],
        env=snmpd.environment,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    entries = re.split(r"^\.(?=1\.3\.6)", printed.decode(), flags=re.MULTILINE)[1:]
    return {oid: " ".join(text.split()) for oid, _, text in (entry.partition(" = ") for entry in entries)}


def _printed(bound: Varbind) -> str:
    match bound.tag, bound.value:
        case Tag.INTEGER, value:
            return f"INTEGER: {value}"
        case Tag.OCTET_STRING, b"":
            return '""'
        case Tag.OCTET_STRING, bytes(value):
            return f"Hex-STRING: {value.hex(' ').upper()}"
        case Tag.OBJECT_IDENTIFIER, value:
            return f"OID: .{value}"
        case Tag.COUNTER32, value:
            return f"Counter32: {value}"
        case Tag.GAUGE32, value:
            return f"Gauge32: {value}"
        case Tag.TIME_TICKS, value:
            return str(value)
    raise AssertionError(bound)


@pytest.mark.parametrize(("version", "command"), [("1", "snmpwalk"), ("2c", "snmpbulkwalk")])
async def test_a_walk_equals_that_of_net_snmp(client: SnmpClient, snmpd: Snmpd, version: str, command: str) -> None:
    theirs = await _net_snmp(snmpd, command, f"-v{version}", "-cpublic")
    ours = await client.walk(snmpd.target(version), WIDE_TABLE.rpartition(".")[0])

    assert {bound.oid: _printed(bound) for bound in ours} == theirs
    assert len(ours) == 3 * WIDE_ROWS + 6


@pytest.mark.parametrize("user", USERS)
async def test_a_walk_of_version_3_equals_that_of_net_snmp(client: SnmpClient, snmpd: Snmpd, user: str) -> None:
    target = snmpd.user(user)
    level = "noAuthNoPriv" if user == "none" else "authPriv" if "aes" in user else "authNoPriv"
    login = ["-v3", "-l", level, "-u", user]
    if level != "noAuthNoPriv":
        login += ["-a", target.auth_protocol, "-A", AUTH_PASSWORD]
    if level == "authPriv":
        login += ["-x", "AES", "-X", PRIV_PASSWORD]
    theirs = await _net_snmp(snmpd, "snmpbulkwalk", *login)
    ours = await client.walk(target, WIDE_TABLE.rpartition(".")[0])

    assert {bound.oid: _printed(bound) for bound in ours} == theirs
    assert len(ours) == 3 * WIDE_ROWS + 6


@pytest.mark.parametrize("version", ["2c", "3"])
async def test_a_walk_equals_that_of_pysnmp(client: SnmpClient, snmpd: Snmpd, version: str) -> None:
    login = (
        CommunityData("public")
        if version == "2c"
        else UsmUserData(
            "sha256-aes",
            AUTH_PASSWORD,
            PRIV_PASSWORD,
            authProtocol=usmHMAC192SHA256AuthProtocol,
            privProtocol=usmAesCfb128Protocol,
        )
    )
    theirs = []
    engine = SnmpEngine()
    async for _, _, _, found in bulk_walk_cmd(
        engine,
        login,
        await UdpTransportTarget.create(("127.0.0.1", snmpd.port)),
        ContextData(),
        0,
        25,
        ObjectType(ObjectIdentity(f"{WIDE_TABLE}.1.2")),
        lookupMib=False,
        lexicographicMode=False,
    ):
        theirs += [_binding(*bound) for bound in found]
    engine.close_dispatcher()
    target = snmpd.target() if version == "2c" else snmpd.user("sha256-aes")
    ours = await client.walk(target, f"{WIDE_TABLE}.1.2")

    assert ours == theirs
    assert len(ours) == WIDE_ROWS


@pytest.mark.parametrize("repetitions", [10, 25, 40, 60, 100, 400])
@pytest.mark.parametrize("user", ["", "sha-aes"])
async def test_any_number_of_repetitions_gives_the_same_table(
    client: SnmpClient, snmpd: Snmpd, user: str, repetitions: int
) -> None:
    target = snmpd.user(user) if user else snmpd.target()
    columns = [f"{WIDE_TABLE}.1.{column}" for column in (1, 2, 3)]
    table = await client.table(target, columns, max_repetitions=repetitions)

    assert list(table) == columns
    for number, column in enumerate(columns, 1):
        assert table[column] == {
            str(row): f"{f'column {number} row {row}':*<60}".encode() for row in range(1, WIDE_ROWS + 1)
        }


async def test_version_1_reads_a_table_with_a_column_that_the_agent_lacks(client: SnmpClient, snmpd: Snmpd) -> None:
    table = await client.table(snmpd.target("1"), [f"{WIDE_TABLE}.1.1", f"{WIDE_TABLE}.1.9", "2.5"])

    assert [len(cells) for cells in table.values()] == [WIDE_ROWS, 0, 0]


async def test_values_keep_their_types(client: SnmpClient, snmpd: Snmpd) -> None:
    values = await client.walk(snmpd.target(), TYPED_VALUES)

    assert [(bound.tag, bound.value) for bound in values] == [
        (Tag.INTEGER, -129),
        (Tag.GAUGE32, 4294967295),
        (Tag.COUNTER32, 4000000000),
        (Tag.TIME_TICKS, 123456),
        (Tag.OBJECT_IDENTIFIER, "1.3.6.1.4.1.119.2.4294967295.1"),
        (Tag.OCTET_STRING, b""),
    ]


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_one_missing_scalar_does_not_lose_the_rest(client: SnmpClient, snmpd: Snmpd, version: str) -> None:
    found = await client.get(
        snmpd.target(version), ["1.3.6.1.2.1.1.77.0", SYS_OBJECT_ID, "1.3.6.1.4.1.77.1.0", SYS_UP_TIME]
    )

    assert set(found) == {SYS_OBJECT_ID, SYS_UP_TIME}
    assert found[SYS_OBJECT_ID] == NET_SNMP_LINUX


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_get_next_names_the_end(client: SnmpClient, snmpd: Snmpd, version: str) -> None:
    first, last = await client.get_next(snmpd.target(version), ["1.3.6.1.2.1.1.2", "2.999"])

    assert first == (SYS_OBJECT_ID, Tag.OBJECT_IDENTIFIER, NET_SNMP_LINUX)
    assert last.value is Absent.END_OF_MIB_VIEW


async def test_walking_an_instance_gives_the_instance(client: SnmpClient, snmpd: Snmpd) -> None:
    assert [bound.value for bound in await client.walk(snmpd.target(), SYS_OBJECT_ID)] == [NET_SNMP_LINUX]
    assert await client.walk(snmpd.target(), "1.3.6.1.4.1.77") == []


async def test_ipv6_and_a_name_reach_the_agent_too(client: SnmpClient, snmpd: Snmpd) -> None:
    for target in (
        snmpd.target(address="::1"),
        snmpd.user("sha-aes", address="::1"),
        snmpd.target(address="::ffff:127.0.0.1"),
        snmpd.target(address="localhost"),
    ):
        assert await client.get(target, [SYS_OBJECT_ID]) == {SYS_OBJECT_ID: NET_SNMP_LINUX}


@pytest.mark.parametrize("user", ODD_USERS)
async def test_algorithms_beyond_our_own_codec_give_the_same_results(
    client: SnmpClient, snmpd: Snmpd, user: str
) -> None:
    target, usual = snmpd.user(user), snmpd.target()

    assert await client.get(target, [SYS_OBJECT_ID, "1.3.6.1.2.1.1.77.0"]) == {SYS_OBJECT_ID: NET_SNMP_LINUX}
    assert await client.walk(target, TYPED_VALUES) == await client.walk(usual, TYPED_VALUES)
    columns = [f"{WIDE_TABLE}.1.1", f"{WIDE_TABLE}.1.4"]
    assert await client.table(target, columns) == await client.table(usual, columns)


@pytest.mark.parametrize("user", ["sha-aes", "sha512-aes256"])
@pytest.mark.parametrize(
    ("wrong", "error", "stage", "words"),
    [
        ({"username": "nobody"}, AuthenticationFailed, Stage.SIGN_IN, "unknownUserName"),
        ({"auth_password": "wrong-password"}, AuthenticationFailed, Stage.SIGN_IN, "wrongDigest"),
        ({"priv_password": "wrong-password"}, Unreachable, Stage.SIGN_IN, "community or privacy key"),
    ],
)
async def test_a_wrong_login_of_version_3_is_named(
    client: SnmpClient,
    snmpd: Snmpd,
    user: str,
    wrong: dict[str, str],
    error: type[Exception],
    stage: Stage,
    words: str,
) -> None:
    with pytest.raises(error, match=words) as caught:
        await client.get(snmpd.user(user, **wrong, timeout=0.2), [SYS_DESCR])

    assert caught.value.stage == stage
    assert "wrong-password" not in str(caught.value) + repr(caught.value)
    assert await client.get(snmpd.user(user), [SYS_OBJECT_ID]) == {SYS_OBJECT_ID: NET_SNMP_LINUX}


async def test_a_level_below_or_above_the_user_s_is_refused(client: SnmpClient, snmpd: Snmpd) -> None:
    with pytest.raises(AuthenticationFailed, match="authorizationError"):
        await client.get(snmpd.user("sha-aes", auth_protocol="none", priv_protocol="none"), [SYS_DESCR])
    with pytest.raises(AuthenticationFailed, match="unsupportedSecLevel"):
        await client.get(snmpd.user("md5", priv_protocol="AES-128"), [SYS_DESCR])


async def test_silence_after_a_community_is_a_question_of_sign_in(client: SnmpClient, snmpd: Snmpd) -> None:
    with pytest.raises(Unreachable, match="no answer: address, community or privacy key") as caught:
        await client.get(snmpd.target(community="wrong", timeout=0.1), [SYS_DESCR])

    assert caught.value.stage == Stage.SIGN_IN


async def test_a_changed_clock_and_a_new_engine_are_noticed(client: SnmpClient, snmpd: Snmpd) -> None:
    target = snmpd.user("sha-aes")
    await client.get(target, [SYS_DESCR])
    (engine,) = client._wire._engines.values()

    engine.set_clock(engine.boots + 3, 5)
    assert await client.get(target, [SYS_OBJECT_ID]) == {SYS_OBJECT_ID: NET_SNMP_LINUX}
    engine.engine_id = b"\x80\x00\x1f\x88\x04other"
    assert await client.get(target, [SYS_OBJECT_ID]) == {SYS_OBJECT_ID: NET_SNMP_LINUX}

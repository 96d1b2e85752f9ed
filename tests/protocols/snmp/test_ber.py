"""The codec: known encodings, round trips, and that no sequence of bytes does more than raise ``Malformed``."""

import contextlib
from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pysnmp.proto import rfc1902

from apps.protocols.snmp.ber import (
    Absent,
    Malformed,
    Pdu,
    PduKind,
    RawVarbind,
    Tag,
    arcs,
    decode_oid,
    decode_pdu,
    decode_value,
    decode_varbinds,
    encode_element,
    encode_integer,
    encode_oid,
    encode_pdu,
    encode_question,
    encode_value,
    encode_varbinds,
)
from apps.protocols.snmp.message import V2C, open_envelope, seal_envelope
from apps.protocols.snmp.notification import decode_notification, encode_inform_response
from apps.protocols.snmp.target import SnmpTarget
from apps.protocols.snmp.usm import Engine, is_signed_by, open_data, read_v3_header, seal, user_of

_roots = st.one_of(st.tuples(st.integers(0, 1), st.integers(0, 39)), st.tuples(st.just(2), st.integers(0, 0xFFFFFFFF)))
oids = st.builds(
    lambda root, rest: ".".join(map(str, (*root, *rest))), _roots, st.lists(st.integers(0, 0xFFFFFFFF), max_size=20)
)
_unsigned32 = st.integers(0, 0xFFFFFFFF)
values: st.SearchStrategy[tuple[int, object]] = st.one_of(
    st.tuples(st.just(Tag.INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.sampled_from([Tag.COUNTER32, Tag.GAUGE32, Tag.TIME_TICKS, Tag.UNSIGNED32]), _unsigned32),
    st.tuples(st.just(Tag.COUNTER64), st.integers(0, 2**64 - 1)),
    st.tuples(st.just(Tag.OCTET_STRING), st.binary(max_size=400)),
    st.tuples(st.just(Tag.OPAQUE), st.binary(max_size=6)),
    st.tuples(st.just(Tag.OBJECT_IDENTIFIER), oids),
    st.tuples(st.just(Tag.IP_ADDRESS), st.builds(IPv4Address, _unsigned32)),
    st.just((Tag.NULL, None)),
    st.sampled_from([(absent.value, absent) for absent in Absent]),
)
varbinds = st.builds(lambda oid, typed: (oid, *typed), oids, values)


@given(st.lists(varbinds, max_size=8), st.integers(0, 2**31 - 1), st.sampled_from(list(PduKind)))
def test_what_is_encoded_is_decoded(bindings: list[RawVarbind], request_id: int, kind: PduKind) -> None:
    if kind == PduKind.TRAP_V1:
        return
    message = seal_envelope(V2C, b"public", encode_pdu(kind, request_id, 5, 3, encode_varbinds(bindings)))
    envelope = open_envelope(message)

    assert envelope.community == b"public"
    assert decode_pdu(message, envelope.at, envelope.end) == Pdu(kind, request_id, 5, 3, bindings)


@pytest.mark.parametrize(
    ("tag", "value", "theirs"),
    [
        (Tag.INTEGER, -2147483647, rfc1902.Integer32(-2147483647)),
        (Tag.INTEGER, 128, rfc1902.Integer32(128)),
        (Tag.COUNTER32, 4294967295, rfc1902.Counter32(4294967295)),
        (Tag.COUNTER64, 2**64 - 1, rfc1902.Counter64(2**64 - 1)),
        (Tag.TIME_TICKS, 0, rfc1902.TimeTicks(0)),
        (Tag.OCTET_STRING, b"x" * 300, rfc1902.OctetString(b"x" * 300)),
        (Tag.IP_ADDRESS, IPv4Address("192.0.2.1"), rfc1902.IpAddress("192.0.2.1")),
        (Tag.OBJECT_IDENTIFIER, "1.3.6.1.4.1.119.4294967295", rfc1902.ObjectIdentifier("1.3.6.1.4.1.119.4294967295")),
    ],
)
def test_values_are_encoded_as_pysnmp_encodes_them(tag: Tag, value: object, theirs: object) -> None:
    assert encode_value(tag, value) == encoder.encode(theirs)


def test_peculiar_values_that_real_agents_send_are_understood() -> None:
    assert decode_value(Tag.COUNTER32, b"\xff\xff\xff\xff") == 4294967295
    assert decode_value(Tag.OPAQUE, b"\x9f\x78\x04\x3f\x80\x00\x00") == 1.0
    assert decode_value(Tag.IP_ADDRESS, b"") == b""
    assert decode_oid(b"") == "0.0"
    assert decode_oid(b"\x88\x37\x03") == "2.999.3"


def test_object_identifiers_sort_by_number() -> None:
    assert sorted(["1.3.10", "1.3.9", "1.3"], key=arcs) == ["1.3", "1.3.9", "1.3.10"]


@pytest.mark.parametrize("text", ["", "1", "1.40", "3.1", "1.3.x", "1.3.-1", "1..3", "1.3." + "1." * 200 + "1"])
def test_what_is_no_object_identifier_is_refused_before_it_is_sent(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text of int() is not ours
        encode_oid(text)


@pytest.mark.parametrize(
    "content",
    [
        b"\x30",
        b"\x30\x05\x06\x03\x2b\x06\x01",
        b"\x30\x80\x06\x01\x2b\x05\x00\x00\x00",
        b"\x30\x06\x06\x02\x2b\x86\x05\x00",
        b"\x30\x06\x06\x01\x2b\x02\x01\x00\x00",
        b"\x30\x05\x06\x01\x2b\x02\x00",
        b"\x30\x05\x06\x01\x2b\x99\x00",
        b"\x30\x0e\x06\x01\x2b\x46\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x31\x05\x06\x01\x2b\x05\x00",
    ],
)
def test_malformed_bindings_are_refused(content: bytes) -> None:
    with pytest.raises(Malformed):
        decode_varbinds(content, 0, len(content))


def test_an_endless_object_identifier_costs_nothing() -> None:
    for content in (b"\xff" * 60000 + b"\x01", b"\x01" * 200, b"\x2b\x90\x80\x80\x80\x80\x00", b"\x2b\x86"):
        with pytest.raises(Malformed):
            decode_oid(content)


def _decode_everything(data: bytes) -> None:
    user = user_of(_TARGET)
    for decode in (
        lambda: decode_varbinds(data, 0, len(data)),
        lambda: decode_pdu(data, 0, len(data)),
        lambda: open_envelope(data),
        lambda: decode_notification(data),
        lambda: encode_inform_response(data),
        lambda: is_signed_by(data, read_v3_header(data), user),
        lambda: open_data(data, read_v3_header(data), user),
    ):
        with contextlib.suppress(Malformed):  # any other exception fails the test
            decode()


_TARGET = SnmpTarget(
    address="192.0.2.1",
    version="3",
    username="u",
    auth_protocol="SHA",
    auth_password="authpass123",
    priv_protocol="AES-128",
    priv_password="privpass123",
)


@settings(max_examples=1500, deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_are_malformed_at_worst(data: bytes) -> None:
    _decode_everything(data)


_MESSAGES = [
    seal_envelope(V2C, b"public", encode_question(PduKind.GET_BULK, 77, ["1.3.6.1.2.1.2.2.1.10", "1.3.6.1"], 0, 25)),
    seal_envelope(
        V2C,
        b"public",
        encode_pdu(
            PduKind.INFORM,
            77,
            0,
            0,
            encode_varbinds(
                [
                    ("1.3.6.1.2.1.1.3.0", Tag.TIME_TICKS, 5),
                    ("1.3.6.1.6.3.1.1.4.1.0", Tag.OBJECT_IDENTIFIER, "1.3.6.1.6.3.1.1.5.3"),
                    ("1.3.6.1.2.1.2.2.1.2.1", Tag.OCTET_STRING, b"eth0"),
                ]
            ),
        ),
    ),
    seal(5, user_of(_TARGET), Engine(b"\x80\x00\x1f\x88\x04abc", 3, 99), encode_question(PduKind.GET, 5, ["1.3.6.1"])),
]


@settings(max_examples=1500, deadline=None)
@given(
    st.sampled_from(_MESSAGES),
    st.lists(st.tuples(st.integers(0, 250), st.integers(0, 255)), max_size=4),
    st.integers(0, 250),
)
def test_damaged_messages_are_malformed_at_worst(message: bytes, damage: list[tuple[int, int]], size: int) -> None:
    damaged = bytearray(message)
    for at, octet in damage:
        damaged[at % len(damaged)] = octet
    _decode_everything(bytes(damaged))
    _decode_everything(bytes(damaged[:size]))


def test_lengths_of_every_size_are_written_and_read() -> None:
    for size in (0, 127, 128, 255, 256, 65000):
        content = encode_element(0x30, b"\x06\x01\x2b" + encode_element(0x04, b"x" * size))
        assert decode_varbinds(content, 0, len(content)) == [("1.3", 4, b"x" * size)]
    assert [encode_integer(number).hex() for number in (0, 127, 128, -1, -128, -129)] == [
        "020100",
        "02017f",
        "02020080",
        "0201ff",
        "020180",
        "0202ff7f",
    ]

"""Datagrams are read many at once, each with its sender and the address that it was sent to."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from apps.alerts.receivers.datagrams import open_sockets
from apps.alerts.receivers.reading import AT_ONCE, Reader


@contextmanager
def listening(bind: str, to: str) -> Iterator[tuple[Reader, socket.socket]]:
    """Open a reader, and a sender to it."""
    (opened,) = open_sockets(None, bind, 0)
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with opened, socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.settimeout(10)
        sender.connect((to, opened.getsockname()[1]))
        yield Reader(opened), sender


@pytest.mark.parametrize(
    ("bind", "to"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.5"), ("::1", "::1"), ("::", "::1")]
)
def test_each_is_read_once_in_its_order_and_answered_from_where_it_was_sent_to(bind: str, to: str) -> None:
    with listening(bind, to) as (reader, sender):
        assert reader.read() == []
        sent = [bytes([number]) * (number + 1) for number in range(AT_ONCE + 6)] + [bytes(60_000), b""]
        for data in sent:
            sender.send(data)
        first, second = reader.read(), reader.read()
        assert (len(first), len(second)) == (AT_ONCE, 8)
        assert [each.data for each in first + second] == sent
        assert {each.address for each in first} == {sender.getsockname()[0]}
        assert {each.peer[1] for each in first} == {sender.getsockname()[1]}
        first[0].answer(b"heard")
        assert sender.recv(100) == b"heard"  # it is connected: an answer from another address would not come through
        assert reader.read() == []


def test_a_socket_for_both_kinds_of_addresses_tells_ipv4_as_it_is() -> None:
    with listening("::", "127.0.0.1") as (reader, sender):
        sender.send(b"x")
        (datagram,) = reader.read()
        assert datagram.address == "127.0.0.1"
        datagram.answer(b"heard")
        assert sender.recv(100) == b"heard"


def test_a_closed_socket_is_an_error() -> None:
    (opened,) = open_sockets(None, "127.0.0.1", 0)
    reader = Reader(opened)
    opened.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        reader.read()

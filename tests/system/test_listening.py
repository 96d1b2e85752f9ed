"""Ports by options: what may be set, who holds what may not, and what takes effect when."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from apps.core import options
from apps.core.actors import COMMAND
from apps.core.models import AuditEntry, OptionValue
from apps.system import chosen, listening
from apps.system.chosen import Chosen
from apps.system.ports import PortTaken
from apps.system.processes import Port, ProcessSpec
from apps.system.sockets import Sockets
from esm.settings import env
from tests.peers import free_udp_port

BINDS = ["127.0.0.1"]


@pytest.fixture
def folder(settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ESM_HTTP_PORT", "ESM_CLASSIC_PORT", "ESM_TRAP_PORT"):
        monkeypatch.delenv(name, raising=False)


def free_tcp_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.django_db(transaction=True)
class TestOptions:
    """What somebody sets."""

    @pytest.fixture(autouse=True)
    def alone(self, folder: Path, no_variables: None) -> None:
        """A data folder and an environment that know nothing."""

    def test_a_free_port_is_kept_for_the_next_start(self, folder: Path) -> None:
        number = free_tcp_port()
        options.set_value("http_port", number, COMMAND)
        assert chosen.read(folder) == Chosen({"ESM_HTTP_PORT": number}, frozenset())
        assert listening.asked_for()["ESM_HTTP_PORT"] == number
        entry = AuditEntry.objects.get(action="option.set")
        assert (entry.object_name, entry.before, entry.after) == ("http_port", {"value": 21120}, {"value": number})

    @pytest.mark.parametrize(("option", "kind"), [("classic_port", "tcp"), ("trap_port", "udp")])
    def test_a_taken_port_is_refused_with_its_holder(self, folder: Path, option: str, kind: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as holder:
            holder.bind(("127.0.0.1", 0))
            if kind == "tcp":
                holder.listen()
            number = holder.getsockname()[1]
            with pytest.raises(ValidationError) as refusal:
                options.set_value(option, number, COMMAND)
        (sentence,) = refusal.value.messages
        assert sentence.startswith(f"Port {number}/{kind} is taken by ")
        assert f"(process {os.getpid()}: " in sentence
        assert not OptionValue.objects.exists()
        assert not AuditEntry.objects.exists()
        assert chosen.read(folder) == Chosen()

    def test_two_of_our_ports_are_never_the_same(self) -> None:
        number = free_tcp_port()
        options.set_value("http_port", number, COMMAND)
        with pytest.raises(ValidationError, match=f"Port {number} is that of Pages and API"):
            options.set_value("classic_port", number, COMMAND)
        options.set_value("trap_port", free_udp_port(), COMMAND)  # of another protocol, any number goes

    @pytest.mark.parametrize("number", [0, -1, 65536, "https", 1.5])
    def test_what_is_no_port_is_refused(self, number: object) -> None:
        with pytest.raises(ValidationError):
            options.set_value("http_port", number, COMMAND)
        assert not OptionValue.objects.exists()

    def test_the_environment_wins(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        monkeypatch.setenv("ESM_HTTP_PORT", "8443")
        assert options.get("http_port") == 8443
        with pytest.raises(ValidationError, match="ESM_HTTP_PORT in the environment decides"):
            options.set_value("http_port", free_tcp_port(), COMMAND)
        monkeypatch.setenv("ESM_HTTP_PORT", "0")
        assert options.get("http_port") == 0

    def test_a_receiver_is_switched_off_and_on(self, folder: Path) -> None:
        options.set_value("trap_reception", False, COMMAND)
        assert chosen.read(folder).off == {"ESM_TRAP_PORT"}
        options.set_value("trap_reception", True, COMMAND)
        assert chosen.read(folder).off == frozenset()

    def test_what_another_machine_set_is_followed(self, folder: Path) -> None:
        OptionValue.objects.create(name="classic_port", value=21999, changed_by_name="elsewhere")
        options.forget()
        listening.follow()
        assert chosen.read(folder).ports == {"ESM_CLASSIC_PORT": 21999}


class TestFile:
    """What is kept beside the database."""

    def test_the_settings_read_it_and_the_environment_wins(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, no_variables: None
    ) -> None:
        monkeypatch.setenv("ESM_DATA_DIR", str(folder))
        chosen.write(folder, Chosen({"ESM_HTTP_PORT": 8080}, frozenset()))
        assert (env.port("ESM_HTTP_PORT", 21120), env.port("ESM_CLASSIC_PORT", 21112)) == (8080, 21112)
        monkeypatch.setenv("ESM_HTTP_PORT", "9090")
        assert env.port("ESM_HTTP_PORT", 21120) == 9090
        assert (folder / chosen.NAME).stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("content", ["", "[]", "{", '{"ports": {"ESM_HTTP_PORT": "x"}, "off": []}', '{"ports": 1}'])
    def test_one_that_makes_no_sense_counts_as_none(self, folder: Path, content: str) -> None:
        (folder / chosen.NAME).write_text(content)
        assert chosen.read(folder) == Chosen()

    def test_a_number_that_is_none_is_left_out(self, folder: Path) -> None:
        (folder / chosen.NAME).write_text('{"ports": {"ESM_HTTP_PORT": 70000, "ESM_TRAP_PORT": 162}, "off": []}')
        assert chosen.read(folder).ports == {"ESM_TRAP_PORT": 162}


class TestSockets:
    """The sockets of a start, and how they move to other numbers."""

    @pytest.fixture
    def sockets(self) -> Iterator[Sockets]:
        """Two TCP ports of one process, and one UDP port."""
        first = Port("first", "tcp", 0, "FIRST", "WEB_FDS")
        second = Port("second", "tcp", 0, "SECOND", "WEB_FDS")
        letters = Port("letters", "udp", 0, "LETTERS", "LETTER_FDS", switch="letters")
        specs = [ProcessSpec("web", ("web",), ports=(first, second)), ProcessSpec("post", ("post",), ports=(letters,))]
        opened = Sockets(specs, BINDS)
        yield opened
        for variable in list(opened.opened):
            opened.close(variable)

    def test_each_process_gets_its_own(self, sockets: Sockets) -> None:
        assert sockets.open_all(off=()) == []
        handed_down = sockets.descriptors()
        assert {name: {key: len(fds) for key, fds in own.items()} for name, own in handed_down.items()} == {
            "web": {"WEB_FDS": 2},
            "post": {"LETTER_FDS": 1},
        }

    def test_only_what_can_be_switched_is_off(self, sockets: Sockets) -> None:
        sockets.open_all(off={"FIRST", "LETTERS"})
        assert sorted(sockets.opened) == ["FIRST", "SECOND"]

    def test_a_taken_number_moves_nothing(self, sockets: Sockets) -> None:
        sockets.open_all(off=())
        before = dict(sockets.numbers)
        with socket.create_server(("127.0.0.1", 0)) as holder:
            taken = holder.getsockname()[1]
            with pytest.raises(PortTaken, match=f"Port {taken}/tcp .* is taken by"):
                sockets.moved({"FIRST": free_tcp_port(), "SECOND": taken})
        assert sockets.numbers == before

    def test_a_port_moves_and_the_old_one_is_free(self, sockets: Sockets) -> None:
        sockets.open_all(off=())
        old, number = sockets.numbers["FIRST"], free_tcp_port()
        wanted = {"FIRST": number}
        sockets.move(sockets.moved(wanted), wanted)
        assert sockets.numbers["FIRST"] == number
        socket.create_connection(("127.0.0.1", number), timeout=5).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", old), timeout=5)

    def test_two_ports_may_change_places(self, sockets: Sockets) -> None:
        sockets.open_all(off=())
        first, second = sockets.numbers["FIRST"], sockets.numbers["SECOND"]
        wanted = {"FIRST": second, "SECOND": first}
        moved = sockets.moved(wanted)
        sockets.move(moved, wanted)
        assert "FIRST" not in sockets.opened  # the next start opens both, which are free by now
        for number in (first, second):
            socket.create_server(("127.0.0.1", number)).close()

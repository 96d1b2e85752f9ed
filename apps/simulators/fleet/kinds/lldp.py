"""Whom a simulated device sees on its ports: LLDP-MIB (IEEE 802.1AB); both ends of a link say the same.

These objects are a device's alone, because a neighbour's address is part of their names. They lie before all others.
"""

from collections.abc import Callable

from apps.protocols.snmp.ber import Tag, Value
from apps.simulators.fleet.kinds.ports import ETHERNET, Networked, Port, PortsMoment
from apps.simulators.fleet.shape import Shape

LOCAL = "1.0.8802.1.1.2.1.3"
REMOTE = "1.0.8802.1.1.2.1.4"
_MAC_ADDRESS, _INTERFACE_NAME = 4, 5  # subtypes of chassis and port ids
_BRIDGE, _STATION = b"\x28", b"\x01"

_COLUMNS: tuple[tuple[int, Tag, Callable[[Networked, Port], Value]], ...] = (
    (4, Tag.INTEGER, lambda other, port: _MAC_ADDRESS),
    (5, Tag.OCTET_STRING, lambda other, port: other.mac(0)),
    (6, Tag.INTEGER, lambda other, port: _INTERFACE_NAME),
    (7, Tag.OCTET_STRING, lambda other, port: port.name.encode()),
    (8, Tag.OCTET_STRING, lambda other, port: port.description.encode()),
    (9, Tag.OCTET_STRING, lambda other, port: other.full_name.encode()),
    (10, Tag.OCTET_STRING, lambda other, port: other.description.encode()),
    (11, Tag.OCTET_STRING, lambda other, port: _capabilities(other)),
    (12, Tag.OCTET_STRING, lambda other, port: _capabilities(other)),
)


class Neighbourly(Networked):
    """A device that tells whom it sees."""

    _own: Shape | None = None

    def own_shape(self) -> Shape | None:
        """Give what it tells of its neighbours, made when somebody asks for it first."""
        if self._own is None:
            self._own = neighbourhood(self)
        return self._own


def neighbourhood(device: Networked) -> Shape:
    """Give what a device shows of itself and of its neighbours; a port without its link has none."""
    shape = Shape()
    text, number = Tag.OCTET_STRING, Tag.INTEGER
    shape.fixed(f"{LOCAL}.1.0", number, _MAC_ADDRESS)
    shape.fixed(f"{LOCAL}.2.0", text, device.mac(0))
    shape.fixed(f"{LOCAL}.3.0", text, device.full_name.encode())
    shape.fixed(f"{LOCAL}.4.0", text, device.description.encode())
    shape.fixed(f"{LOCAL}.5.0", text, _capabilities(device))
    shape.fixed(f"{LOCAL}.6.0", text, _capabilities(device))
    ports = [port for port in device.ports if port.kind == ETHERNET]
    shape.constants(f"{LOCAL}.7.1.2", number, [(port.index, _INTERFACE_NAME) for port in ports])
    shape.constants(f"{LOCAL}.7.1.3", text, [(port.index, port.name.encode()) for port in ports])
    shape.constants(f"{LOCAL}.7.1.4", text, [(port.index, port.description.encode()) for port in ports])
    linked = [port for port in device.ports if port.peer]
    for column, tag, read in _COLUMNS:
        rows = [(f"0.{port.index}.1", (port, read)) for port in linked]
        shape.column(f"{REMOTE}.1.1.{column}", tag, rows, _seen)
    for port in linked:
        _add_address(shape, port)
    return shape


def _capabilities(device: Networked) -> bytes:
    return _BRIDGE if device.services & 2 else _STATION


def _seen(moment: PortsMoment, row: tuple[Port, Callable[[Networked, Port], Value]]) -> Value:
    port, read = row
    return read(*port.peer) if port.peer and moment.is_up(port) else None


def _add_address(shape: Shape, port: Port) -> None:
    """Show the management address of whom a port sees."""
    if port.peer is None:
        return
    index = f"0.{port.index}.1.1.4.{port.peer[0].address}"
    for column, tag, value in ((3, Tag.INTEGER, 2), (4, Tag.INTEGER, 1), (5, Tag.OBJECT_IDENTIFIER, "0.0")):

        def told(moment: PortsMoment, row: Port, value: Value = value) -> Value:
            return value if moment.is_up(row) else None

        shape.live(f"{REMOTE}.2.1.{column}.{index}", tag, told, port)

"""All devices of a plan, connected with each other: the model behind the sockets, free of any clock of its own."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from apps.simulators.fleet.faults import REBOOT_LASTS, Fault, FaultKind
from apps.simulators.fleet.kinds import make
from apps.simulators.fleet.kinds.base import Device, Trap
from apps.simulators.fleet.kinds.ports import Networked, link
from apps.simulators.fleet.kinds.switch import Switch
from apps.simulators.fleet.plan import BadPlan, Plan


class Fleet:
    """A simulated fleet."""

    def __init__(self, plan: Plan) -> None:
        """Make all devices; raises ``BadPlan``."""
        self.plan = plan
        self.by_name: dict[str, Device] = {}
        self.by_address: dict[bytes, Device] = {}
        for spec in plan.devices:
            device = make(spec, plan)
            self.by_name[spec.name] = device
            self.by_address[device.address.packed] = device
        self._connect()
        for device in self:
            device.finish()
        self._troubled: list[Device] = []
        self.forget_moments()

    def __len__(self) -> int:
        return len(self.by_name)

    def __iter__(self) -> Iterator[Device]:
        return iter(self.by_name.values())

    def device(self, name: str) -> Device:
        """Give a device by its name or address; raises ``BadPlan``."""
        found = self.by_name.get(name)
        if found is None:
            try:
                found = self.by_address.get(IPv4Address(name).packed)
            except ValueError:
                found = None
        if found is None:
            raise BadPlan(f"there is no device {name}")
        return found

    def _connect(self) -> None:
        """Connect everything to its uplink: first what is no switch, so that switches know what goes through them."""
        switches = []
        for device in self:
            if not isinstance(device, Networked) or not device.spec.uplink:
                continue
            if isinstance(device, Switch):
                switches.append(device)
            else:
                port = next(port for port in device.ports if port.is_uplink)
                link(device, port, self._switch(device), self._switch(device).free_port(uplink=False))
        for device in switches:
            port = device.free_port(uplink=True)
            device.gather(port)
            link(device, port, self._switch(device), self._switch(device).free_port(uplink=True))

    def _switch(self, device: Device) -> Switch:
        found = self.by_name[device.spec.uplink]
        if not isinstance(found, Switch):
            raise BadPlan(f"{device.name} is connected to {found.name}, which is no switch")
        return found

    # --- faults -----------------------------------------------------------------------------------------------------
    def fault(
        self,
        name: str,
        kind: FaultKind,
        now: float,
        *,
        seconds: float | None = None,
        part: int = 0,
        strength: float | None = None,
    ) -> Fault:
        """Let something be wrong from now on, for some seconds or until it is mended. Raises ``BadPlan``."""
        if kind is FaultKind.REBOOT and seconds is None:
            seconds = REBOOT_LASTS
        until = None if seconds is None else now + seconds
        device = self.device(name)
        fault = device.add_fault(Fault(kind, now, now if kind.is_moment else until, part=part, strength=strength))
        self.forget_moments()
        return fault

    def mend(self, name: str, now: float, kind: FaultKind | None = None) -> int:
        """End what is wrong with a device now, or one kind of it; gives how much that was."""
        ended = self.device(name).faults.end(now, kind)
        self.forget_moments()
        return ended

    def forget_moments(self) -> None:
        """Have every device worked out anew: a link has two ends."""
        self._troubled = [device for device in self if device.is_troubled]
        for device in self:
            device.forget_moment()

    def happenings(self, after: float, until: float) -> list[tuple[float, Device, Trap]]:
        """Give all traps of a stretch of time, in order."""
        found = [(at, device, trap) for device in self._troubled for at, trap in device.happenings(after, until)]
        return sorted(found, key=lambda one: one[0])

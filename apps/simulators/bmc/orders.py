"""Orders to simulated controllers from outside, one a line; each is answered with one line."""

from collections.abc import Mapping

from apps.simulators.bmc.controller import Controller
from apps.simulators.bmc.faults import Fault
from apps.simulators.bmc.machine import NotNow, Order

VERBS = ("fault", "mend", "power", "orders", "sessions", "log", "restart", "packets")


def obey(line: str, controllers: Mapping[str, Controller]) -> str:
    """Carry out an order; gives what is to be said of it."""
    match line.split():
        case [verb, place, *rest] if verb in VERBS and place in controllers:
            told = _obey(verb, controllers[place], rest)
            if told is not None:
                return f"{place}: {told}"
    faults = "|".join(Fault)
    return (
        f"{'|'.join(VERBS)} ADDRESS:PORT; fault|mend … {faults}; power … {'|'.join(one.name.lower() for one in Order)}"
    )


def _obey(verb: str, controller: Controller, rest: list[str]) -> str | None:
    machine = controller.machine
    match verb, rest:
        case "fault" | "mend", [name] if name in list(Fault):
            (controller.begin if verb == "fault" else controller.mend)(Fault(name))
            return ", ".join(sorted(machine.faults)) or "well"
        case "power", []:
            return "on" if machine.is_on else "off"
        case "power", [name] if name.upper() in Order.__members__:
            try:
                machine.order(Order[name.upper()])
            except NotNow:
                return "not now"
            return name
        case "orders", []:
            return ", ".join(order.name.lower() for order in machine.orders) or "nothing"
        case "sessions", []:
            return str(len(controller.sessions))
        case "log", []:
            return str(len(machine.log.entries))
        case "packets", []:
            return str(controller.received)
        case "restart", []:
            controller.restart()
            return "restarts"
    return None

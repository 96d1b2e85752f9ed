"""The kinds of simulated devices by the names that plans give them; a new kind is a class and a line here."""

from apps.simulators.fleet.kinds.base import Device
from apps.simulators.fleet.kinds.linux import Linux
from apps.simulators.fleet.kinds.others import Replay, TapeLibrary
from apps.simulators.fleet.kinds.router import Router
from apps.simulators.fleet.kinds.switch import Switch
from apps.simulators.fleet.kinds.ups import PowerNetUps, Ups
from apps.simulators.fleet.kinds.windows import Windows
from apps.simulators.fleet.plan import BadPlan, Plan, Spec

KINDS: dict[str, type[Device]] = {
    kind.kind: kind for kind in (Linux, Windows, Switch, Router, Ups, TapeLibrary, Replay)
}
UPS_MODELS: dict[str, type[Device]] = {"": Ups, "rfc1628": Ups, "powernet": PowerNetUps}


def make(spec: Spec, plan: Plan) -> Device:
    """Make the device that a plan describes; raises ``BadPlan``."""
    kinds = UPS_MODELS if spec.kind == Ups.kind else KINDS
    name = spec.model if spec.kind == Ups.kind else spec.kind
    if name not in kinds:
        raise BadPlan(f"{spec.name}: there is no {spec.kind} {spec.model}".rstrip())
    return kinds[name](spec, plan)

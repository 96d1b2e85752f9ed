"""Registers a plan by the portal's services, where no API runs."""

from dataclasses import asdict

from apps.components.services import credentials, registration
from apps.core.actors import Actor
from apps.groups.models import Group
from apps.simulators.fleet.plan import Plan
from apps.system.demo.registration import DRIVERS


def register(plan: Plan, port: int, actor: Actor) -> dict[str, int]:
    """Register every device with one community, and whose user may send; gives the components' ids."""
    root = Group.objects.get(parent=None)
    login = credentials.create("SNMP", "snmp-community", root, {"version": "2c", "community": "public"}, actor)
    if plan.login is not None:
        credentials.create("SNMP v3", "snmp-v3", root, asdict(plan.login), actor)
    ids = {}
    for spec in plan.devices:
        way = registration.NewInterface(DRIVERS[spec.kind], spec.address, port, credential_id=login.pk)
        new = registration.NewComponent(name=spec.name, group=root, interfaces=[way])
        ids[spec.name] = registration.register(new, actor).pk
    return ids

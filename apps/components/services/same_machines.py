"""Decides whether two components are one machine so surely that nobody needs to be asked.

A wrong answer may switch off the wrong server, so all of this must hold. The two stand in one group, where only who may
register there can have put either. One is managed by its controller alone, the other by none: two agents that look
alike may be clones of one installation. Both devices said the same hardware UUID, or the same serial number and
manufacturer, and they contradict each other in neither. No third component says that value too. Nobody has taken an
interface of either out of a component, and both are watched.
"""

from uuid import UUID

from apps.components.models import Component, MachineIdKind, ManagementInterface
from apps.components.services import identity, machines


def are_surely_one(one: Component, other: Component) -> bool:
    """Say whether two components are one machine beyond doubt."""
    if one.group_id != other.group_id or one.unmanaged or other.unmanaged:
        return False
    mine, theirs = (list(component.interfaces.order_by("pk")) for component in (one, other))
    if not _are_different_sides(mine, theirs) or any(row.kept_apart for row in (*mine, *theirs)):
        return False
    said = [
        machines.said_by(interface__component=component.pk, kind__in=[MachineIdKind.UUID, MachineIdKind.SERIAL])
        for component in (one, other)
    ]
    known = [machines.identifiers(component.pk) for component in (one, other)]
    if any(_contradict(known[0], known[1], kind) for kind in (MachineIdKind.UUID, MachineIdKind.SERIAL)):
        return False
    shared = {
        (kind, value) for kind, value in said[0] & said[1] if kind == MachineIdKind.UUID or _same_maker(mine, theirs)
    }
    return bool(shared) and not any(_has_third(kind, value, {one.pk, other.pk}) for kind, value in said[0] & said[1])


def _are_different_sides(mine: list[ManagementInterface], theirs: list[ManagementInterface]) -> bool:
    """Say whether one is managed by controllers alone and the other by none."""
    drivers = identity.controllers()
    sides = [{row.driver in drivers for row in rows} for rows in (mine, theirs)]
    return sides in ([{True}, {False}], [{False}, {True}])


def _contradict(mine: set[tuple[str, str]], theirs: set[tuple[str, str]], kind: str) -> bool:
    """Say whether both know a value of this kind, and none of them is the same."""
    ours, others = ({value for name, value in known if name == kind} for known in (mine, theirs))
    return bool(ours) and bool(others) and not ours & others


def _same_maker(mine: list[ManagementInterface], theirs: list[ManagementInterface]) -> bool:
    makers = [identity.winner(identity.said_of(rows), "manufacturer") for rows in (mine, theirs)]
    named = {one.value("manufacturer").strip().casefold() for one in makers if one is not None}
    return None not in makers and len(named) == 1


def _has_third(kind: str, value: str, pair: set[int]) -> bool:
    found = machines.holders(UUID(value), "") if kind == MachineIdKind.UUID else machines.holders(None, value)
    return any(component.pk not in pair for component in found)

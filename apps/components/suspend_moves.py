"""Says what moving components into another group does to their suspend periods."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.components.models import Component, SuspendPeriod
from apps.components.services import inheritance
from apps.core import scoping
from apps.groups.models import Group

LOOKED_AT = 20  # components: whoever moves more at once is told in numbers


def effects(components: Sequence[Component], group: Group, user: Any) -> list[str]:
    """Give a sentence for everything that will be otherwise, and for what stays; asked before the move."""
    moving = [one for one in components if one.group_id != group.pk]
    sentences: dict[str, None] = {}  # in their order, each once
    for component in moving[:LOOKED_AT]:
        effect = inheritance.effect_of_move(component, group)
        for period in effect.left:
            told = _("The suspend period %(name)s of %(group)s does not reach %(component)s any more.")
            sentences[_filled(told, period, component, user)] = None
        for period in effect.gained:
            told = _("The suspend period %(name)s of %(group)s reaches %(component)s now.")
            sentences[_filled(told, period, component, user)] = None
        for period in effect.replaced:
            told = _("Its own suspend period %(name)s was removed from %(component)s: %(group)s has the same.")
            sentences[told % {"name": period.name, "component": component, "group": group}] = None
        if effect.kept:
            names = ", ".join(period.name for period in effect.kept)
            told = _("%(component)s keeps its own suspend periods: %(names)s.")
            sentences[told % {"component": component, "names": names}] = None
    more = len(moving) - LOOKED_AT
    if more > 0 and sentences:
        told = ngettext("%(number)d component more was moved.", "%(number)d components more were moved.", more)
        sentences[told % {"number": more}] = None
    return list(sentences)


def _filled(told: str, period: SuspendPeriod, component: Component, user: Any) -> str:
    seen = scoping.may(user, "view", period.group_id)
    group = str(period.group) if seen else _("a group that you may not see")
    return told % {"name": period.name, "group": group, "component": component}

"""What alerts registers with others: options, menu entries, panels."""

import ipaddress
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.alerts import tasks
from apps.alerts.services import incidents, reapplying
from apps.components import extensions
from apps.core import jobs, menu
from apps.core.options import Option, declare

RECEPTION = gettext_lazy("Alert reception")


def _addresses(value: list[str]) -> None:
    for word in value:
        try:
            ipaddress.ip_address(word)
        except ValueError as error:
            raise ValidationError(_("%(word)s is not an IP address.") % {"word": word}) from error


declare(
    Option(
        "trap_communities",
        list,
        [],
        gettext_lazy("Accepted communities"),
        gettext_lazy("Traps with another community are counted, not stored. Empty: every community is accepted."),
        section=RECEPTION,
        secret=True,
    ),
    Option(
        "trap_relays",
        list,
        [],
        gettext_lazy("Trap relays"),
        gettext_lazy("Hosts that pass on traps of others: theirs belong to the agent address inside the trap."),
        section=RECEPTION,
        check=_addresses,
    ),
    Option(
        "trap_origin_rate",
        int,
        50,
        gettext_lazy("Traps per sender"),
        gettext_lazy("What one sender may send on average; ten times as many may come at once."),
        section=RECEPTION,
        minimum=50,
        maximum=10000,
        unit=gettext_lazy("per second"),
    ),
    Option(
        "trap_total_rate",
        int,
        5000,
        gettext_lazy("Traps of all senders"),
        gettext_lazy("What all senders together may send on average; ten times as many may come at once."),
        section=RECEPTION,
        minimum=50,
        maximum=100000,
        unit=gettext_lazy("per second"),
    ),
    Option(
        "alert_status_age",
        int,
        24,
        gettext_lazy("Forget problems without an end"),
        gettext_lazy("A problem that no alert can end leaves the status when it was not repeated for so long."),
        section=RECEPTION,
        minimum=1,
        maximum=8760,
        unit=gettext_lazy("hours"),
    ),
)

menu.register(
    menu.MenuEntry(
        label=gettext_lazy("Alerts"),
        url_name="alerts:list",
        icon="bell",
        order=30,
        permission="view",
        count="alerts",
        hot=True,
    )
)
menu.register(
    menu.MenuEntry(
        label=gettext_lazy("Alert definitions"),
        url_name="definitions:list",
        icon="list-search",
        section="manage",
        order=20,
        permission="view",
    )
)
menu.register_counter("alerts", incidents.open_counts)
jobs.kinds.add(
    reapplying.REAPPLY,
    jobs.JobKind(
        reapplying.REAPPLY,
        gettext_lazy("Apply an alert definition"),
        tasks.start_reapply,
        step_limit=timedelta(minutes=30),
    ),
)
extensions.removal_hooks.add("alerts", incidents.close_of_components)
extensions.join_hooks.add("alerts", incidents.move_between_components)

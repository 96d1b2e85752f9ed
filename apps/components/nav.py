"""What components registers with others: options, job kinds, limits, and itself as what stands in groups."""

from django.utils.translation import gettext_lazy as _

from apps.components import extensions, limits, suspend_views, tasks
from apps.components.models import Component, Credential, SuspendPeriod
from apps.components.services import checks, inheritance
from apps.core import jobs, menu, schedules
from apps.core.options import Option, declare
from apps.groups.services import move_hooks, occupants

declare(
    Option(
        "max_managed_devices",
        int,
        1000,
        _("Managed devices at most"),
        _("Registering more is refused. Devices that are not managed and alert-only ones are not counted."),
        section=_("Devices"),
        minimum=1,
        maximum=100_000,
        unit=_("devices"),
    ),
    Option(
        "max_esxi",
        int,
        500,
        _("Hypervisors at most"),
        _("Registering more is refused."),
        section=_("Devices"),
        minimum=0,
        maximum=100_000,
        unit=_("hosts"),
    ),
    Option(
        "ipmi_source_port",
        int,
        0,
        _("UDP port from which management controllers are asked"),
        _(
            "For firewalls that let answers pass to one port alone, such as 47117. 0: any free port for each"
            " conversation, which is quicker. A port of its own costs a socket for each conversation, and conversations"
            " with the same controller wait for each other; while a console is open, others with its controller use the"
            " next port, which the firewall must let pass, too. No other program may use these two ports. What an"
            " interface says itself counts more."
        ),
        section=_("Devices"),
        minimum=1024,
        maximum=65535,
        also=(0,),
    ),
    Option(
        "join_same_machines",
        bool,
        True,
        _("Join what is surely one machine"),
        _(
            "A management controller and an agent in one group that say the same hardware UUID, or the same serial"
            " number and manufacturer, become one component. Anything less sure is only offered."
            " An interface can be taken out again."
        ),
        section=_("Devices"),
    ),
    Option(
        "status_change_retention",
        int,
        1100,
        _("Keep changes of status"),
        _("Older ones are removed, but for the last one of each component. 0 keeps them for ever."),
        section=_("Retention"),
        minimum=400,
        maximum=36500,
        also=(0,),
        unit=_("days"),
    ),
)

jobs.kinds.add(checks.CHECK, jobs.JobKind(checks.CHECK, _("Check of connections"), tasks.start_check))
jobs.kinds.add(checks.REFRESH, jobs.JobKind(checks.REFRESH, _("Refresh"), tasks.start_refresh))

extensions.registration_checks.add("managed-limit", limits.within_managed_limit)
extensions.registration_checks.add("hypervisor-limit", limits.within_hypervisor_limit)


@occupants.register("components")
def names_in_group(group_id: int) -> dict[str, list[str]]:
    """Name the components, credentials and suspend periods of a group."""
    return {
        "components": [str(one) for one in Component.objects.filter(group=group_id).only("name", "alias")],
        "credentials": list(Credential.objects.filter(group=group_id).values_list("name", flat=True)),
        "suspend periods": list(SuspendPeriod.objects.filter(group=group_id).values_list("name", flat=True)),
    }


move_hooks.add("suspend-periods", inheritance.follow_group)
schedules.sources.add(
    "suspend-periods",
    schedules.Source(
        label=_("Suspend periods"),
        state=suspend_views.IN_FORCE,
        read=suspend_views.entries,
        list_url="suspend_periods:list",
        template="suspend_periods/_soonest.html",
        soonest=suspend_views.soonest,
        add_url="suspend_periods:add",
        add_label=_("Suspend period"),
        add_icon="player-pause",
        add_permission="suspend",
    ),
)


menu.register(menu.MenuEntry(label=_("Components"), url_name="components:list", icon="server-2", order=20))
menu.register(
    menu.MenuEntry(
        label=_("Credentials"),
        url_name="components:credentials",
        icon="key",
        section="manage",
        order=20,
        permission="credentials",
    )
)

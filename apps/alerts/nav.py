"""What alerts registers with others: options, menu entries, panels."""

import ipaddress
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.alerts import tasks
from apps.alerts.services import incidents, moving, reapplying
from apps.alerts.subscriptions import farewells, here, trying
from apps.components import extensions
from apps.core import audit_words, jobs, menu
from apps.core.options import Option, declare

RECEPTION = gettext_lazy("Alert reception")
RETENTION = gettext_lazy("Retention")


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
        "trap_v1",
        bool,
        True,
        gettext_lazy("Accept SNMP v1"),
        gettext_lazy("Traps of version 1 prove nothing of their sender. Off: they are counted, not stored."),
        section=RECEPTION,
    ),
    Option(
        "trap_v2c",
        bool,
        True,
        gettext_lazy("Accept SNMP v2c"),
        gettext_lazy(
            "Traps and informs of version 2c prove nothing of their sender. Off: they are counted, not stored, and "
            "informs stay without an answer."
        ),
        section=RECEPTION,
    ),
    Option(
        "trap_v3_level",
        str,
        "noAuthNoPriv",
        gettext_lazy("Least protection of SNMP v3"),
        gettext_lazy(
            "What notifications of version 3 have to be at least: unprotected (noAuthNoPriv), signed (authNoPriv), or "
            "signed and encrypted (authPriv). A user with an authentication password has to sign in any case."
        ),
        section=RECEPTION,
        choices=("noAuthNoPriv", "authNoPriv", "authPriv"),
    ),
    Option(
        "trap_method",
        str,
        "built-in",
        gettext_lazy("Trap reception method"),
        gettext_lazy(
            "built-in: devices send to the trap port of the portal. relay: another program on this machine holds port "
            "162 (snmptrapd) and passes traps on to the trap port; they belong to the agent address inside the trap."
        ),
        section=RECEPTION,
        choices=("built-in", "relay"),
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
        "redfish_events",
        bool,
        True,
        gettext_lazy("Subscribe to Redfish events"),
        gettext_lazy(
            "Every device that offers it is asked to send its events here. Off: the subscriptions are removed from the "
            "devices."
        ),
        section=RECEPTION,
    ),
    Option(
        here.ADDRESS,
        str,
        "",
        gettext_lazy("Address for Redfish events"),
        gettext_lazy(
            "The address or name, with :port where it is another one, to which devices send their events. Empty: the "
            "address of this machine on the way to each device."
        ),
        section=RECEPTION,
        check=here.check,
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
    Option(
        "alert_retention",
        int,
        365,
        gettext_lazy("Keep alerts"),
        gettext_lazy(
            "Alerts older than this are removed, with the problems that ended; alerts of open problems stay. 0: by "
            "number alone. A year covers what comes back with the seasons."
        ),
        section=RETENTION,
        minimum=1,
        maximum=3650,
        also=(0,),
        unit=gettext_lazy("days"),
    ),
    Option(
        "alert_limit",
        int,
        1_000_000,
        gettext_lazy("Keep so many alerts"),
        gettext_lazy(
            "Of more, the oldest are removed; alerts of open problems stay. 0: by age alone. A million take about "
            "1.5 GB of disk, and lists stay quick."
        ),
        section=RETENTION,
        minimum=10_000,
        maximum=20_000_000,
        also=(0,),
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
        label=gettext_lazy("Incidents"), url_name="alerts:incidents", icon="alert-triangle", order=31, permission="view"
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
menu.register(
    menu.MenuEntry(
        label=RECEPTION,
        url_name="alerts:reception",
        icon="login-2",
        section="manage",
        order=22,
        permission="credentials",
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
jobs.kinds.add(trying.TEST, jobs.JobKind(trying.TEST, gettext_lazy("Test of Redfish events"), tasks.start_event_test))
extensions.removal_hooks.add("alerts", incidents.close_of_components)
extensions.removal_hooks.add("event-subscriptions", farewells.of_components)
extensions.interface_hooks.add("event-subscriptions", farewells.of_interfaces)
extensions.join_hooks.add("alerts", moving.join)
extensions.split_hooks.add("alerts", moving.split)
audit_words.families.add("events", gettext_lazy("Events of devices"))
for _word, _text in {
    "events.subscribe": gettext_lazy("Device asked to send its events here"),
    "events.unsubscribe": gettext_lazy("Device asked to send no more events"),
    "events.forget": gettext_lazy("Subscription taken off the list of those to be removed"),
    "events.decommission": gettext_lazy("All subscriptions of devices ended"),
}.items():
    audit_words.acts.add(_word, _text)
for _word, _text in {
    "events_to": gettext_lazy("Events go to"),
    "uri": gettext_lazy("Name at the device"),
}.items():
    audit_words.fields.add(_word, _text)

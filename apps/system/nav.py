"""What system registers with others: its options and its kind of job."""

import os
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from apps.components import extensions
from apps.core import audit_words, jobs
from apps.core.options import Option, declare
from apps.system import listening, own_addresses, tasks
from apps.system.bundle import orders
from apps.system.capacity.measuring import WARNING_DAYS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

declare(
    Option(
        WARNING_DAYS,
        int,
        30,
        _("Warn of a full disk"),
        _("An alert is raised when the disk will be full in fewer days, or has less than 1.5 GB free. 0: never."),
        section=_("Capacity"),
        minimum=1,
        maximum=3650,
        also=(0,),
        unit=_("days"),
    ),
)
PORTS = _("Ports")
AFTER_RESTART = _("Takes effect when the portal is started anew.")


def _port(name: str, variable: str, default: int, label: "StrOrPromise") -> Option:
    return Option(
        name,
        int,
        default,
        label,
        AFTER_RESTART,
        section=PORTS,
        minimum=1,
        maximum=65535,
        also=(0,),
        environment=variable,
        check=listening.can_be(variable),
        changed=listening.follow,
        restart=True,
    )


declare(
    _port("http_port", "ESM_HTTP_PORT", 21120, _("Port of pages and API")),
    _port("classic_port", "ESM_CLASSIC_PORT", 21112, _("Port of classic mode")),
    _port("trap_port", "ESM_TRAP_PORT", 162 if os.geteuid() == 0 else 10162, _("Port of SNMP traps")),
    _port("event_port", "ESM_EVENT_PORT", 21443, _("Port of Redfish events")),
    Option(
        "trap_reception",
        bool,
        True,
        _("Receive SNMP traps"),
        _("Off: the port is closed within five seconds, and what devices send is lost."),
        section=_("Alert reception"),
        changed=listening.follow,
    ),
    Option(
        "event_reception",
        bool,
        True,
        _("Receive Redfish events"),
        _("Off: the port is closed within five seconds, and the devices are asked to send no more."),
        section=_("Alert reception"),
        changed=listening.follow,
    ),
)
declare(
    Option(
        own_addresses.RESERVED,
        list,
        [],
        _("Reserved addresses of this machine"),
        _(
            "IP addresses of this machine that it has by DHCP and that are reserved for it there, with commas between: "
            "of these nobody is warned."
        ),
        section=_("Alert reception"),
        check=own_addresses.check,
    ),
)
audit_words.families.add("portal", _("The portal itself"))
audit_words.acts.add("portal.restart", _("Restarted the portal"))
audit_words.acts.add("portal.stop", _("Stopped the portal"))
extensions.needs.add("reception", listening.lacks_of)
jobs.kinds.add(orders.KIND, jobs.JobKind(orders.KIND, _("Support bundle"), tasks.start_bundle))

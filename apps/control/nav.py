"""What control registers with others: options, job kinds, words of the audit, and its buttons."""

import ipaddress
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.components import extensions
from apps.control import panels, presence, tasks
from apps.control.operations import BOOT, CLEAR_LOG, COLLECT, LAMP, OPERATIONS, POWER, WAKE
from apps.control.settings import pages, services
from apps.core import audit_words, jobs
from apps.core.options import Option, declare
from apps.drivers.contract import Capability

_SECTION = gettext_lazy("Operations")
_SETTINGS = gettext_lazy("Settings of devices")


def _ip_addresses(value: Sequence[str]) -> None:
    for word in value:
        try:
            ipaddress.ip_address(word)
        except ValueError as error:
            raise ValidationError(_("%(word)s is not an IP address.") % {"word": word[:60]}) from error


def _ip_address(value: str) -> None:
    _ip_addresses([value] if value else [])


declare(
    Option(
        "operation_concurrency",
        int,
        10,
        gettext_lazy("Devices ordered at once by one job"),
        gettext_lazy("The others of the job wait. Fewer spare the power supply of a rack when many are switched on."),
        section=_SECTION,
        minimum=1,
        maximum=200,
        unit=gettext_lazy("devices"),
    ),
    Option(
        "operation_failures",
        int,
        10,
        gettext_lazy("Failures after which a job of operations stops"),
        gettext_lazy("What is not begun by then is left out. 0: a job never stops by itself."),
        section=_SECTION,
        minimum=1,
        maximum=1000,
        also=(0,),
    ),
    Option(
        "operation_confirmation",
        int,
        60,
        gettext_lazy("Wait until an operation is seen to be done"),
        gettext_lazy("What is not seen by then is told as not confirmed; it may still happen."),
        section=_SECTION,
        minimum=5,
        maximum=600,
        unit=gettext_lazy("seconds"),
    ),
    Option(
        "shutdown_confirmation",
        int,
        600,
        gettext_lazy("Wait until an operating system has ended or begun"),
        gettext_lazy("For shutting down, restarting and waking; until then no other operation on the device is taken."),
        section=_SECTION,
        minimum=30,
        maximum=3600,
        unit=gettext_lazy("seconds"),
    ),
    Option(
        "wake_port",
        int,
        10101,
        gettext_lazy("UDP port for waking"),
        gettext_lazy("10101 is that of Remote Wake Up; other machines are usually woken by port 9."),
        section=_SECTION,
        minimum=1,
        maximum=65535,
    ),
    Option(
        "wake_addresses",
        list,
        ["255.255.255.255"],
        gettext_lazy("Where packets that wake are sent"),
        gettext_lazy(
            "IP addresses, with commas between: the broadcast address of each network whose machines shall be woken."
        ),
        section=_SECTION,
        check=_ip_addresses,
    ),
)

declare(
    Option(
        "settings_confirmation",
        int,
        300,
        gettext_lazy("Wait until a controller answers again with its new settings"),
        gettext_lazy("Changes may take minutes. What is not seen by then is told as not confirmed."),
        section=_SETTINGS,
        minimum=10,
        maximum=3600,
        unit=gettext_lazy("seconds"),
    ),
    Option(
        "settings_concurrency",
        int,
        3,
        gettext_lazy("Controllers set at once by one job"),
        gettext_lazy("The first one is always set alone; the others wait until it is confirmed."),
        section=_SETTINGS,
        minimum=1,
        maximum=50,
        unit=gettext_lazy("devices"),
    ),
    Option(
        "settings_failures",
        int,
        1,
        gettext_lazy("Failures after which a job of settings stops"),
        gettext_lazy("If the first one fails, it always stops. 0: later failures never stop it."),
        section=_SETTINGS,
        minimum=1,
        maximum=1000,
        also=(0,),
    ),
    Option(
        "report_address",
        str,
        "",
        gettext_lazy("Address for alerts"),
        gettext_lazy(
            "What is set as alert destination; empty: the address of the portal by which it reaches a device."
        ),
        section=_SETTINGS,
        check=_ip_address,
    ),
)

for _operation in OPERATIONS.values():
    if _operation.name != COLLECT:
        jobs.kinds.add(
            _operation.name,
            jobs.JobKind(_operation.name, _operation.label, tasks.start_operation, changes_devices=True),
        )

for _kind in (
    jobs.JobKind(services.READ, gettext_lazy("Reading settings"), tasks.start_settings),
    jobs.JobKind(
        services.WRITE,
        gettext_lazy("Changing settings"),
        tasks.start_settings,
        changes_devices=True,
        ended=services.forget,
    ),
    jobs.JobKind(
        services.RESET, gettext_lazy("Initializing the configuration"), tasks.start_settings, changes_devices=True
    ),
):
    jobs.kinds.add(_kind.name, _kind)

for _word, _label in {
    POWER: gettext_lazy("Power switched"),
    BOOT: gettext_lazy("Boot device chosen"),
    LAMP: gettext_lazy("Locator lamp switched"),
    CLEAR_LOG: gettext_lazy("Event log of devices cleared"),
    WAKE: gettext_lazy("Woken over the network"),
    services.READ: gettext_lazy("Settings of devices read"),
    services.WRITE: gettext_lazy("Settings of devices changed"),
    services.RESET: gettext_lazy("Configuration of a device initialized"),
}.items():
    audit_words.acts.add(f"job.{_word}", _label)
audit_words.acts.add("settings.write", gettext_lazy("Settings written to a device"))
audit_words.families.add("settings", gettext_lazy("Settings of devices"))
audit_words.fields.add("settings", gettext_lazy("Settings"))
audit_words.fields.add("outcome", gettext_lazy("Outcome"))
audit_words.fields.add("order", pgettext_lazy("operation", "Order"))
audit_words.fields.add("consequences", gettext_lazy("What it touched"))

extensions.lookers.add("control", presence.note)
extensions.page_acts.add("control", extensions.Act("control/_menu.html", panels.orders))
extensions.bulk_acts.add("control", extensions.BulkAct("control/_bulk.html", panels.orders_of_many))
extensions.page_acts.add("settings", extensions.Act("control/settings/_link.html", pages.link))
extensions.bulk_acts.add("settings", extensions.BulkAct("control/settings/_bulk.html", pages.link_of_many))
extensions.panels.add(
    "power",
    extensions.Panel(
        "power", extensions.OVERVIEW, "control/panels/power.html", panels.power, 45, "c3 x-c6", Capability.POWER
    ),
)

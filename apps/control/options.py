"""What administrators set about operations, consoles, and settings of devices."""

import ipaddress
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.core.options import Option, declare

_SECTION = gettext_lazy("Operations")
_CONSOLES = pgettext_lazy("serial line", "Consoles")
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
        gettext_lazy(
            "For shutting down, restarting and waking. Until then no other operation on the device is taken; it is "
            "polled as ever."
        ),
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
    Option(
        "remote_batch_retention",
        int,
        400,
        gettext_lazy("Keep runs of remote batches"),
        gettext_lazy("When each batch ran, and what was missed. Older ones are removed."),
        section=gettext_lazy("Retention"),
        minimum=1,
        maximum=3650,
        unit=gettext_lazy("days"),
    ),
)

declare(
    Option(
        "console_sessions",
        int,
        16,
        gettext_lazy("Consoles that may be open at once"),
        gettext_lazy("Each holds one session of a management controller."),
        section=_CONSOLES,
        minimum=1,
        maximum=200,
        unit=pgettext_lazy("serial line", "consoles"),
    ),
    Option(
        "console_idle",
        int,
        15,
        gettext_lazy("Close a console in which nobody types"),
        gettext_lazy("What the machine says by itself does not count."),
        section=_CONSOLES,
        minimum=1,
        maximum=1440,
        unit=gettext_lazy("minutes"),
    ),
    Option(
        "console_pauses_polls",
        bool,
        True,
        gettext_lazy("Pause polling while a console is open"),
        gettext_lazy(
            "Some controllers mix what they are asked by the portal with what is typed. The values of the component "
            "grow old meanwhile; orders and checks by hand go on."
        ),
        section=_CONSOLES,
    ),
    Option(
        "console_transcript_size",
        int,
        10,
        gettext_lazy("Largest transcript of a console"),
        gettext_lazy("What the machine says is kept up to this size. 0: no transcripts are kept."),
        section=_CONSOLES,
        minimum=1,
        maximum=1024,
        also=(0,),
        unit="MB",
    ),
    Option(
        "console_transcript_days",
        int,
        365,
        gettext_lazy("Keep consoles and their transcripts"),
        section=_CONSOLES,
        minimum=1,
        maximum=3650,
        unit=gettext_lazy("days"),
    ),
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
        "settings_tries",
        int,
        2,
        gettext_lazy("Further tries where a controller did not take its settings"),
        gettext_lazy(
            "Where it was busy, silent, or shows the old values. Each begins with reading and writes only what still "
            "differs. 0: there are none."
        ),
        section=_SETTINGS,
        minimum=1,
        maximum=10,
        also=(0,),
    ),
    Option(
        "settings_pause",
        int,
        3,
        gettext_lazy("Wait before a further try"),
        section=_SETTINGS,
        minimum=1,
        maximum=60,
        unit=gettext_lazy("minutes"),
    ),
    Option(
        "settings_report_wait",
        int,
        60,
        gettext_lazy("Wait for a test alert after the network of a controller was changed"),
        gettext_lazy(
            "The controller is asked for it, to see whether its reports still arrive. If that of the first controller "
            "does not, the others are not begun. 0: it is not asked."
        ),
        section=_SETTINGS,
        minimum=10,
        maximum=600,
        also=(0,),
        unit=gettext_lazy("seconds"),
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

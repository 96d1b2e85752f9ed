"""What the core registers: its own options, and jobs, schedules, the audit and the settings in the menu."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core import menu
from apps.core.models import Job
from apps.core.options import Option, declare

declare(
    Option(
        "audit_retention",
        int,
        730,
        _("Keep the audit log"),
        _("Entries older than this are removed from the beginning of the chain. 0 keeps them for ever."),
        section=_("Retention"),
        minimum=30,
        maximum=36500,
        also=(0,),
        unit=_("days"),
    ),
    Option(
        "display_refresh_interval",
        int,
        60,
        _("Display refresh"),
        _("How often open pages ask again when they hear nothing."),
        section=_("Display"),
        minimum=5,
        maximum=3600,
        unit=_("seconds"),
    ),
    Option(
        "job_retention",
        int,
        90,
        _("Keep ended jobs"),
        _("Ended jobs older than this are removed."),
        section=_("Retention"),
        minimum=1,
        maximum=3650,
        unit=_("days"),
    ),
)


def count_jobs(user: Any) -> dict[str, int]:
    """Count the jobs that have not ended."""
    return {"running": Job.objects.visible_to(user).open().count()}


menu.register_counter("jobs", count_jobs)
menu.register(
    menu.MenuEntry(
        label=_("Audit log"), url_name="audit:list", icon="history", section="manage", order=810, permission="audit"
    )
)
menu.register(
    menu.MenuEntry(
        label=_("Environment settings"),
        url_name="settings:list",
        icon="settings",
        section="settings",
        order=10,
        permission="settings",
    )
)
menu.register(
    menu.MenuEntry(label=_("Jobs"), url_name="jobs:list", icon="progress", section="operate", order=20, count="jobs")
)
menu.register(
    menu.MenuEntry(
        label=_("Schedules"),
        url_name="schedules:calendar",
        icon="calendar-time",
        section="operate",
        order=30,
        permission="view",
    )
)

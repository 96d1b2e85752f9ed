"""What the core registers: its own options."""

from django.utils.translation import gettext_lazy as _

from apps.core.options import Option, declare

declare(
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

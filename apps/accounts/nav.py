"""What accounts registers with others: its option."""

from django.utils.translation import gettext_lazy as _

from apps.core.options import Option, declare

declare(
    Option(
        "auto_logout",
        int,
        30,
        _("Automatic log-out"),
        _("Whoever does nothing for so long is signed out. Pages that refresh themselves do not count."),
        section=_("Sign-in"),
        minimum=1,
        maximum=1440,
        unit=_("minutes"),
    ),
)

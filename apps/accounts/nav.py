"""What accounts registers with others: its options."""

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
    Option(
        "lockout_account_failures",
        int,
        5,
        _("Failed sign-ins of an account"),
        _("So many wrong passwords or codes lock an account for a while. A browser that it used before counts apart."),
        section=_("Sign-in"),
        minimum=3,
        maximum=100,
    ),
    Option(
        "lockout_address_failures",
        int,
        20,
        _("Failed sign-ins from an address"),
        _("So many failures lock an address for a while, whatever names it tried. The machine itself is never locked."),
        section=_("Sign-in"),
        minimum=5,
        maximum=10000,
    ),
    Option(
        "lockout_first_delay",
        int,
        60,
        _("First lock-out"),
        _("For so long sign-in is refused at first; each further failure doubles it."),
        section=_("Sign-in"),
        minimum=5,
        maximum=3600,
        unit=_("seconds"),
    ),
    Option(
        "lockout_longest_delay",
        int,
        60,
        _("Longest lock-out"),
        _("No lock-out is longer, however many failures there are."),
        section=_("Sign-in"),
        minimum=1,
        maximum=1440,
        unit=_("minutes"),
    ),
)

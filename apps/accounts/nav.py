"""What accounts registers with others: its options, and what an administrator should mend."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.password_policy import SENSIBLE_LENGTH
from apps.core import options
from apps.core.options import Option, declare

SIGN_IN = gettext_lazy("Sign-in")
PASSWORDS = gettext_lazy("Passwords")


def _at_least_the_shortest(value: Any) -> None:
    least = options.get("password_min_length")
    if value < least:
        raise ValidationError(_("The shortest password is %(least)s characters long.") % {"least": least})


def _at_most_the_longest(value: Any) -> None:
    most = options.get("password_max_length")
    if value > most:
        raise ValidationError(_("The longest password is %(most)s characters long.") % {"most": most})


def _warn_of_short_ones(value: Any) -> str:
    if value >= SENSIBLE_LENGTH:
        return ""
    return _("Passwords of fewer than %(sensible)s characters are guessed quickly.") % {"sensible": SENSIBLE_LENGTH}


def _warn_of_a_low_roof(value: Any) -> str:
    if value >= 64:
        return ""
    return _("Sentences as passwords are longer than that: let at least 64 characters be typed.")


declare(
    Option(
        "auto_logout",
        int,
        30,
        gettext_lazy("Automatic log-out"),
        gettext_lazy("Whoever does nothing for so long is signed out. Pages that refresh themselves do not count."),
        section=SIGN_IN,
        minimum=1,
        maximum=1440,
        unit=gettext_lazy("minutes"),
    ),
    Option(
        "session_hours",
        int,
        12,
        gettext_lazy("Longest session"),
        gettext_lazy("So long after the sign-in a session ends, whatever somebody does."),
        section=SIGN_IN,
        minimum=1,
        maximum=720,
        unit=gettext_lazy("hours"),
    ),
    Option(
        "password_min_length",
        int,
        SENSIBLE_LENGTH,
        gettext_lazy("Shortest password"),
        gettext_lazy("It counts for passwords that are chosen from now on."),
        section=PASSWORDS,
        minimum=6,
        maximum=64,
        unit=gettext_lazy("characters"),
        check=_at_most_the_longest,
        warn=_warn_of_short_ones,
    ),
    Option(
        "password_max_length",
        int,
        256,
        gettext_lazy("Longest password"),
        gettext_lazy("It counts for passwords that are chosen from now on."),
        section=PASSWORDS,
        minimum=16,
        maximum=1000,
        unit=gettext_lazy("characters"),
        check=_at_least_the_shortest,
        warn=_warn_of_a_low_roof,
    ),
    Option(
        "password_history",
        int,
        3,
        gettext_lazy("Former passwords"),
        gettext_lazy("So many former passwords of a user are refused, besides the present one. 0: any may come back."),
        section=PASSWORDS,
        minimum=0,
        maximum=24,
    ),
    Option(
        "password_reminder",
        int,
        180,
        gettext_lazy("Remind of old passwords"),
        gettext_lazy("Whoever signs in with an older password is reminded to change it. 0: nobody is."),
        section=PASSWORDS,
        minimum=1,
        maximum=3650,
        also=(0,),
        unit=gettext_lazy("days"),
    ),
    Option(
        "lockout_account_failures",
        int,
        5,
        gettext_lazy("Failed sign-ins of an account"),
        gettext_lazy(
            "So many wrong passwords or codes lock an account for a while. A browser that it used before counts apart."
        ),
        section=SIGN_IN,
        minimum=3,
        maximum=100,
    ),
    Option(
        "lockout_address_failures",
        int,
        20,
        gettext_lazy("Failed sign-ins from an address"),
        gettext_lazy(
            "So many failures lock an address for a while, whatever names it tried. The machine itself is never locked."
        ),
        section=SIGN_IN,
        minimum=5,
        maximum=10000,
    ),
    Option(
        "lockout_first_delay",
        int,
        60,
        gettext_lazy("First lock-out"),
        gettext_lazy("For so long sign-in is refused at first; each further failure doubles it."),
        section=SIGN_IN,
        minimum=5,
        maximum=3600,
        unit=gettext_lazy("seconds"),
    ),
    Option(
        "lockout_longest_delay",
        int,
        60,
        gettext_lazy("Longest lock-out"),
        gettext_lazy("No lock-out is longer, however many failures there are."),
        section=SIGN_IN,
        minimum=1,
        maximum=1440,
        unit=gettext_lazy("minutes"),
    ),
)

DIRECTORIES = gettext_lazy("Directories")
declare(
    Option(
        "ldap_allow_unencrypted",
        bool,
        False,
        gettext_lazy("Directories without encryption"),
        gettext_lazy(
            "Lets directories be asked over a connection on which everybody can read the passwords. Better not."
        ),
        section=DIRECTORIES,
    ),
    Option(
        "directory_refresh",
        int,
        5,
        gettext_lazy("Looking after the accounts of directories"),
        gettext_lazy(
            "How often the accounts of directories are compared with them; who is disabled there is signed out then."
        ),
        section=DIRECTORIES,
        minimum=1,
        maximum=5,
        unit=gettext_lazy("minutes"),
    ),
    Option(
        "directory_retry",
        int,
        30,
        gettext_lazy("Rest of a silent directory server"),
        gettext_lazy("A server that did not answer is left out so long, so that not every sign-in waits for it."),
        section=DIRECTORIES,
        minimum=5,
        maximum=600,
        unit=gettext_lazy("seconds"),
    ),
)

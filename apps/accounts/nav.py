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

DIRECTORIES = _("Directories")
declare(
    Option(
        "ldap_allow_unencrypted",
        bool,
        False,
        _("Directories without encryption"),
        _("Lets directories be asked over a connection on which everybody can read the passwords. Better not."),
        section=DIRECTORIES,
    ),
    Option(
        "directory_refresh",
        int,
        5,
        _("Looking after the accounts of directories"),
        _("How often the accounts of directories are compared with them; who is disabled there is signed out then."),
        section=DIRECTORIES,
        minimum=1,
        maximum=5,
        unit=_("minutes"),
    ),
    Option(
        "directory_retry",
        int,
        30,
        _("Rest of a silent directory server"),
        _("A server that did not answer is left out so long, so that not every sign-in waits for it."),
        section=DIRECTORIES,
        minimum=5,
        maximum=600,
        unit=_("seconds"),
    ),
)

"""Why a directory does not answer, and why it says no: the first changes nothing here, the second is about a person."""

from typing import Any

import ldap
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from apps.core.phrases import Phrase


class Fault(Exception):
    """A server was not reached, not trusted, or did not do what was asked; nothing is known about anybody.

    ``elsewhere`` says whether another server of the same directory may do better.
    """

    def __init__(self, text: Phrase, words: str = "", *, elsewhere: bool = True) -> None:
        super().__init__(text.text % dict(text.params) + (f" ({words})" if words else ""))
        self.text = text
        self.words = words  # the server's or the library's own
        self.elsewhere = elsewhere


class Refusal(models.TextChoices):
    """Why somebody is not let in."""

    UNKNOWN = "unknown", _("The directory knows nobody of this name.")
    AMBIGUOUS = "ambiguous", _("Several entries have this name: make the user filter narrower.")
    NO_PASSWORD = "no-password", _("An empty password is never sent: servers take it for no sign-in at all.")
    WRONG_PASSWORD = "wrong-password", _("The password is wrong.")
    DISABLED = "disabled", _("The account is disabled in the directory.")
    EXPIRED = "expired", _("The account has expired in the directory.")
    LOCKED = "locked", _("The account is locked in the directory after wrong passwords.")
    MUST_CHANGE = "must-change", _("The password must be changed in the directory first.")
    PASSWORD_EXPIRED = "password-expired", _("The password has expired in the directory.")
    NOT_NOW = "not-now", _("The directory does not let this account sign in now or from here.")
    UNMAPPED = "unmapped", _("None of the groups of this account holds a role here.")
    CLASH = "clash", _("An account of this name exists here that does not come from this entry.")
    BAD_NAME = "bad-name", _("The name in the directory cannot be the name of a user here.")
    DISABLED_HERE = "disabled-here", _("An administrator has disabled the account here.")


class Refused(Exception):
    """The directory answered, and this person is not let in."""

    def __init__(self, why: Refusal, words: str = "") -> None:
        super().__init__(why.value)
        self.why = why
        self.words = words


UNREACHABLE = gettext_noop("%(server)s does not answer.")
STILL_SILENT = gettext_noop("%(server)s did not answer a moment ago.")
NOT_ENCRYPTED = gettext_noop("No encrypted connection to %(server)s.")
CLEAR_TEXT = gettext_noop(
    "The connection would not be encrypted, and the option ldap_allow_unencrypted does not allow it."
)
BIND_REFUSED = gettext_noop("The directory refuses the account that searches.")
NO_BASE = gettext_noop("The directory has nothing at “%(base)s”.")
NOT_DONE = gettext_noop("The directory did not do what it was asked.")

# What an Active Directory writes into the words of a refused bind, "data 52e" and so on (MS-ERREF 2.2, in hex).
ACTIVE_DIRECTORY_DATA = {
    "525": Refusal.WRONG_PASSWORD,  # no such user: he was found a moment ago
    "52e": Refusal.WRONG_PASSWORD,
    "530": Refusal.NOT_NOW,
    "531": Refusal.NOT_NOW,
    "532": Refusal.PASSWORD_EXPIRED,
    "533": Refusal.DISABLED,
    "701": Refusal.EXPIRED,
    "773": Refusal.MUST_CHANGE,
    "775": Refusal.LOCKED,
}


def words_of(error: ldap.LDAPError) -> str:
    """Give what the server or the library said."""
    facts: Any = error.args[0] if error.args else {}
    if not isinstance(facts, dict):
        return str(error)
    said = [str(facts[key]).replace("\x00", "").strip() for key in ("desc", "info") if facts.get(key)]
    return ": ".join(dict.fromkeys(said))


def refusal_of(error: ldap.LDAPError) -> Refusal:
    """Say why a password was refused."""
    _before, _data, rest = words_of(error).partition(", data ")
    return ACTIVE_DIRECTORY_DATA.get(rest.partition(",")[0].strip().lower(), Refusal.WRONG_PASSWORD)

"""What a password must be, as the options say; what is known or near to the name is refused whatever they say."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import CommonPasswordValidator, UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import options

SENSIBLE_LENGTH = 12  # below it a password is guessed from a stolen hash within days
# What makers and guides of this field ship; whoever looks for a way in tries these first.
DEFAULTS = frozenset(
    {
        *("admin", "administrator", "calvin", "changeit", "changeme", "cisco", "default", "esmpro", "fleetportal"),
        *("guest", "manager", "netman", "password", "private", "public", "raritan", "root", "superuser"),
        *("supermicro", "supervisor", "toor", "user"),
    }
)
NAME_MATTERS = 4  # characters; a shorter name stands in many words by chance
LONGEST_UNIT = 4  # characters; repeating so few is as good as one of them

_known = CommonPasswordValidator()
_alike = UserAttributeSimilarityValidator()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the options ask of a password."""

    least: int
    most: int
    former: int

    def in_words(self) -> str:
        """Say what a password must be, for the forms that ask for one."""
        sentences = [
            _("%(least)s to %(most)s characters of any kind; not a known password, not like the name.")
            % {"least": self.least, "most": self.most}
        ]
        if self.former:
            sentences.append(
                ngettext(
                    "Not the one before.",
                    "None of the %(count)s before.",
                    self.former,
                )
                % {"count": self.former}
            )
        return " ".join(sentences)


def current() -> Policy:
    """Give the policy in force."""
    return Policy(
        options.get("password_min_length"), options.get("password_max_length"), options.get("password_history")
    )


def in_words() -> str:
    """Say what a password must be now."""
    return current().in_words()


in_words_lazy = lazy(in_words, str)


def check(password: str, user: User) -> None:
    """Refuse what the policy refuses; raises ValidationError with every reason."""
    policy, faults = current(), []
    if len(password) < policy.least:
        faults.append(
            _("This password is too short: it needs at least %(least)s characters.") % {"least": policy.least}
        )
    if len(password) > policy.most:
        faults.append(_("This password is too long: it has at most %(most)s characters.") % {"most": policy.most})
        raise ValidationError(faults)  # what else is wrong with a megabyte is not worked out
    faults += [sentence for found, sentence in _known_faults(password, user) if found]
    if not faults and user.pk and policy.former and _was_used(password, user, policy.former):
        faults.append(_("This password was used before. Choose another one."))
    if faults:
        raise ValidationError(faults)


def _known_faults(password: str, user: User) -> list[tuple[bool, str]]:
    return [
        (is_known(password), _("This is a known password: it is among the first that are tried.")),
        (is_like(password, user), _("This password is too much like the name or the mail address.")),
    ]


def is_known(password: str) -> bool:
    """Say whether a password is on a list of common ones or of defaults, or only repeats one or a few characters."""
    folded = password.strip().casefold()
    unit = _unit(folded)
    return any(part in DEFAULTS or part in _known.passwords for part in (folded, unit)) or (
        len(unit) <= LONGEST_UNIT and unit != folded
    )


def is_like(password: str, user: User) -> bool:
    """Say whether a password is made from what everybody knows of the user."""
    folded = password.casefold()
    words = (user.username, *user.username.split("@")[:1], user.email.split("@")[0])
    if any(len(word) >= NAME_MATTERS and word.casefold() in folded for word in words):
        return True
    try:
        _alike.validate(password, user)
    except ValidationError:
        return True
    return False


def _unit(text: str) -> str:
    """Give the shortest part whose repetition is the text."""
    return text[: (text + text).find(text, 1)] if text else text


def _was_used(password: str, user: User, former: int) -> bool:
    hashes = [user.password, *user.former_passwords.values_list("password", flat=True)[:former]]
    return any(check_password(password, one) for one in hashes)


class PolicyValidator:
    """The policy for what comes by Django's own ways."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse what the policy refuses."""
        check(password, user if isinstance(user, User) else User())

    def get_help_text(self) -> str:
        """Say what a password must be."""
        return in_words()

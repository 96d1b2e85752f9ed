"""What of an account a directory decides, so that nobody changes it here and wonders that it does not last."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.accounts.models import User

DECIDED_THERE = ("username", "first_name", "last_name", "email", "must_change_password")


def refuse_change(user: User, fields: Mapping[str, Any]) -> None:
    """Refuse to change what comes from the directory of a user; raises ValidationError by field."""
    if user.directory is None:
        return
    changed = [name for name in DECIDED_THERE if name in fields and fields[name] != getattr(user, name)]
    if changed:
        sentence = _("This comes from the directory %(name)s.") % {"name": user.directory}
        raise ValidationError({name: [sentence] for name in changed})


def refuse_password(user: User) -> None:
    """Refuse to give a user of a directory a password of the portal; raises ValidationError."""
    if user.directory is not None:
        sentence = _("The password of this user is kept by the directory %(name)s.") % {"name": user.directory}
        raise ValidationError({"password": [sentence]})

"""Who acts: every verb that changes something is told, and the audit keeps it."""

import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from apps.accounts.models import User


class ActorKind(TextChoices):
    """By which way somebody acts."""

    USER = "user", _("User")
    TOKEN = "token", _("API token")
    COMMAND = "command", _("Command line")
    SCHEDULE = "schedule", _("Schedule")
    SYSTEM = "system", _("The portal itself")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, token, command, schedule or the portal itself, with the address and request it came by."""

    kind: ActorKind
    name: str
    user: "User | None" = None
    address: str | None = None
    request: str = ""

    @property
    def short_name(self) -> str:
        """Give the name of the person alone, for lists that do not need to know by which way he acted."""
        return self.user.get_username() if self.user is not None else self.name

    @classmethod
    def of(cls, request: HttpRequest) -> "Actor":
        """Give the actor of a page or API request."""
        user = request.user if request.user.is_authenticated else None
        token = getattr(request, "auth", None)
        name = user.get_username() if user else ""
        address, asked = request.META.get("REMOTE_ADDR"), f"{request.method} {request.path}"[:200]
        if token is not None:
            return cls(ActorKind.TOKEN, f"{name} ({token})", user, address, asked)
        return cls(ActorKind.USER, name, user, address, asked)


def _operating_user() -> str:
    """Give the user of the operating system who runs this process, with the one who became him by sudo."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    before = os.environ.get("SUDO_USER", "")
    return f"{before} as {name}" if before and before != name else name


SYSTEM = Actor(ActorKind.SYSTEM, "portal")
SCHEDULE = Actor(ActorKind.SCHEDULE, "schedule")
COMMAND = Actor(ActorKind.COMMAND, f"command line ({_operating_user()})"[:200])

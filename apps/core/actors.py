"""Who acts: every verb that changes something is told, and the audit keeps it."""

import os
import pwd
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from apps.accounts.models import User


class ActorKind(StrEnum):
    """By which way somebody acts."""

    USER = "user"
    TOKEN = "token"  # noqa: S105
    COMMAND = "command"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, token, command or the portal itself, with the address it came from."""

    kind: ActorKind
    name: str
    user: "User | None" = None
    address: str | None = None

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
        if token is not None:
            return cls(ActorKind.TOKEN, f"{name} ({token})", user, request.META.get("REMOTE_ADDR"))
        return cls(ActorKind.USER, name, user, request.META.get("REMOTE_ADDR"))


def at_the_command_line() -> Actor:
    """Give the actor of a command: the user of the operating system who typed it, also through sudo."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user that the system does not know, as in some containers
        name = str(os.getuid())
    if os.getuid() == 0 and (person := os.environ.get("SUDO_USER")):
        name = f"{name}, {person}"
    return Actor(ActorKind.COMMAND, f"command line ({name})")


SYSTEM = Actor(ActorKind.SYSTEM, "portal")
COMMAND = Actor(ActorKind.COMMAND, "command line")

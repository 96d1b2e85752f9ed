"""Makes, changes and removes users from the command line, also when nobody can sign in any more.

It ends with 0 when it was done, 1 when it was refused, 2 when the words were wrong, 3 when there is no such user.
"""

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from apps.access.models import Grant, Role
from apps.access.services import roles
from apps.accounts import names
from apps.accounts.models import User
from apps.accounts.services import lockouts, passwords, second_factor, users
from apps.core.actors import COMMAND
from apps.core.writes import turn
from apps.groups.models import Group

REFUSED, UNKNOWN = 1, 3
LONGEST_FILE = 10_000  # bytes; a password is shorter


class Command(BaseCommand):
    """``user create|list|password|reset-second-factor|disable|enable|unlock|delete``; no password is a word of it."""

    help = "Makes, lists, changes and removes users."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe the verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        making = verbs.add_parser("create", help="make a user, with a first role where one is given")
        making.add_argument("name")
        making.add_argument("--email", default="", help="the mail address")
        making.add_argument("--role", default="", help="administrator, operator, viewer or a role of your own")
        making.add_argument("--group", default="", help="where the role holds, by name or id; everywhere by default")
        giving = verbs.add_parser("password", help="give a user another password; his sessions end")
        giving.add_argument("name")
        for parser_of_one in (making, giving):
            parser_of_one.add_argument(
                "--password-file", help="read the password from the first line of a file, - for standard input"
            )
            parser_of_one.add_argument(
                "--keep", action="store_true", help="do not ask for another password at the next sign-in"
            )
        verbs.add_parser("list", help="show every user with state, roles and last sign-in")
        releasing = verbs.add_parser("unlock", help="release a lock-out after failed sign-ins")
        releasing.add_argument("name", nargs="?", default="", help="the account, also one that does not exist")
        releasing.add_argument("--address", default="", help="an address that failed too often")
        for verb, what in (
            ("reset-second-factor", "take away a second factor that was lost; his sessions end"),
            ("disable", "let a user sign in no more; sessions and tokens stop at once"),
            ("enable", "let a disabled user sign in again"),
            ("delete", "remove a user with grants, tokens and sessions; the audit stays"),
        ):
            verbs.add_parser(verb, help=what).add_argument("name")

    def handle(self, *args: Any, verb: str, **about: Any) -> None:
        """Do what was asked."""
        try:
            getattr(self, f"_{verb.replace('-', '_')}")(**about)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=REFUSED) from error

    def _create(self, name: str, email: str, role: str, group: str, keep: bool, **about: Any) -> None:
        granted, where = (_role(role), _group(group)) if role or group else (None, None)
        password = _password(about["password_file"])
        with turn():
            made = users.create(name, password, COMMAND, must_change=not keep, fields={"email": email})
            if granted is not None and where is not None:
                roles.grant(made, granted, where, COMMAND)
        self.stdout.write(f"{made.username} was made.")
        if granted is None:
            self.stderr.write("Nothing is granted to this user yet: he sees nothing. See --role.")

    def _password(self, name: str, keep: bool, **about: Any) -> None:
        found = _user(name)
        password = _password(about["password_file"])
        passwords.set_password(found, password, COMMAND, must_change=not keep)
        self.stdout.write(f"{found.username} has another password.")

    def _list(self, **about: Any) -> None:
        grants: dict[int, list[str]] = {}
        for one in Grant.objects.exclude(user=None).select_related("role", "group"):
            grants.setdefault(one.user_id or 0, []).append(f"{one.role} on {one.group}")
        rows = [
            (
                user.username,
                "active" if user.is_active else "disabled",
                f"{user.last_login:%Y-%m-%d %H:%M}Z" if user.last_login else "never",
                user.email or "-",
                "; ".join(grants.get(user.pk, [])) or "-",
            )
            for user in User.objects.order_by("username")
        ]
        heads = ("NAME", "STATE", "LAST SIGN-IN", "MAIL", "ROLES")
        widths = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads))]
        for row in [heads, *rows]:
            line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            self.stdout.write(line.rstrip())

    def _reset_second_factor(self, name: str, **about: Any) -> None:
        found = _user(name)
        if second_factor.device_of(found) is None:
            raise CommandError(f"{found.username} has no second factor.", returncode=REFUSED)
        second_factor.reset(found, COMMAND)
        self.stdout.write(f"{found.username} signs in by the password alone, until a new second factor is set up.")

    def _disable(self, name: str, **about: Any) -> None:
        found = _user(name)
        users.change(found, {"is_active": False}, COMMAND)
        self.stdout.write(f"{found.username} may not sign in any more.")

    def _enable(self, name: str, **about: Any) -> None:
        found = _user(name)
        users.change(found, {"is_active": True}, COMMAND)
        self.stdout.write(f"{found.username} may sign in.")

    def _unlock(self, name: str, address: str, **about: Any) -> None:
        if not name and not address:
            raise CommandError("Name an account, an --address, or both.", returncode=REFUSED)
        released = lockouts.release(actor=COMMAND, user=name or None, address=address or None)
        self.stdout.write(f"{released} lock-outs were released." if released != 1 else "1 lock-out was released.")

    def _delete(self, name: str, **about: Any) -> None:
        found = _user(name)
        users.remove(found, COMMAND)
        self.stdout.write(f"{found.username} was removed.")


def _user(name: str) -> User:
    found = User.objects.filter(name_key=names.key(name)).first()
    if found is None:
        raise CommandError(f"There is no user {name!r}; see: manage.py user list", returncode=UNKNOWN)
    return found


def _role(name: str) -> Role:
    found = Role.objects.filter(name=name or "viewer").first()
    if found is None:
        known = ", ".join(Role.objects.values_list("name", flat=True))
        raise CommandError(f"There is no role {name!r}; there are: {known}", returncode=REFUSED)
    return found


def _group(asked: str) -> Group:
    if not asked:
        return Group.objects.get(parent=None)
    found = list(Group.objects.filter(pk=int(asked)) if asked.isdecimal() else Group.objects.filter(name=asked))
    if len(found) != 1:
        why = "no group" if not found else "more than one group"
        raise CommandError(f"There is {why} {asked!r}; give its id", returncode=REFUSED)
    return found[0]


def _password(file: str | None) -> str:
    """Read a password: from a file, from what is piped in, or twice from whoever sits there."""
    if file is None and sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Password again: "):
            raise CommandError("The two passwords differ.", returncode=REFUSED)
        return password
    if file in {None, "-"}:
        return sys.stdin.readline(LONGEST_FILE).rstrip("\r\n")
    try:
        with Path(str(file)).open(encoding="utf-8") as opened:
            return opened.readline(LONGEST_FILE).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The password cannot be read: {error}", returncode=REFUSED) from error

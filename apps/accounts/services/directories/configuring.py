"""Makes, changes, orders and removes directories; what somebody entered is checked first, whole."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import Directory, DirectoryGroup, DirectoryKind, Encryption, GroupKind, User
from apps.accounts.services import standing, users
from apps.accounts.services.directories import certificates, syntax
from apps.accounts.services.directories.settings import USUAL, USUAL_GROUP_FILTER
from apps.core import audit, holdings, options
from apps.core.actors import Actor
from apps.core.writes import turn

ATTRIBUTES: Final = ("username_attribute", "first_name_attribute", "last_name_attribute", "mail_attribute")
CHANGEABLE: Final = (
    *("name", "kind", "servers", "encryption", "verify_tls", "ca_certificate", "bind_dn", "bind_password"),
    *("search_base", "user_filter", *ATTRIBUTES, "group_base", "group_filter", "group_kind", "nested_groups"),
    *("let_in_unmapped", "connect_timeout", "answer_timeout", "enabled"),
)
# What has nothing to do with whom a directory is asked about, and what with.
HARMLESS: Final = frozenset(
    {"name", "first_name_attribute", "last_name_attribute", "mail_attribute", "connect_timeout", "answer_timeout"}
)
MOST_SERVERS = 16
REMOVED_AT_ONCE = 50


def draft(fields: Mapping[str, Any], directory: Directory | None = None) -> Directory:
    """Give a directory as it would be with these fields, checked and not kept; raises ValidationError by field.

    What is left empty becomes what is usual for its kind. A ``bind_password`` that is left out or None stays; it has to
    be entered again where it would be sent elsewhere, or less safely.
    """
    unknown = set(fields) - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} is not changed here")
    made = copy(directory) if directory is not None else Directory(group_kind="")
    given = {name: value for name, value in fields.items() if value is not None or name != "bind_password"}
    for name, value in given.items():
        setattr(made, name, value.strip() if isinstance(value, str) and name != "bind_password" else value)
    faults: dict[str, list[str]] = {}
    _clean_connection(made, faults)
    if made.ca_certificate and (directory is None or made.ca_certificate != directory.ca_certificate.strip()):
        _clean_authority(made, faults)  # one that has ended meanwhile keeps nobody from changing the rest
    _clean_searches(made, faults)
    _clean_password(made, directory, "bind_password" in given, faults)
    try:
        made.clean_fields(exclude=["bind_password", *faults])
        made.validate_unique()
    except ValidationError as error:
        faults |= error.message_dict
    if faults:
        raise ValidationError(faults)
    return made


def create(fields: Mapping[str, Any], actor: Actor) -> Directory:
    """Keep a new directory, behind the others; raises ValidationError."""
    made = draft(fields)
    _refuse_listener(actor)
    with turn():
        made.position = 1 + (Directory.objects.aggregate(last=Max("position"))["last"] or 0)
        made.save()
        audit.record(actor, "directory.create", made, after=_facts(made) | _secret(bool(made.bind_password)))
    return made


def change(directory: Directory, fields: Mapping[str, Any], actor: Actor) -> Directory:
    """Change what is given; raises ValidationError."""
    made = draft(fields, directory)
    if not made.enabled and _is_own(directory, actor):
        raise ValidationError({"enabled": [_("You signed in by this directory; somebody else has to switch it off.")]})
    if any(getattr(made, name) != getattr(directory, name) for name in CHANGEABLE if name not in HARMLESS):
        _refuse_listener(actor)
    of_it = {"directory": directory.pk}
    standing.refuse_higher(actor, User.objects.filter(**of_it), DirectoryGroup.objects.filter(**of_it))
    before, secret = _facts(directory), made.bind_password != directory.bind_password
    made.changed_at = timezone.now()  # servers that were silent are asked again
    with turn():
        made.save(update_fields=[*CHANGEABLE, "changed_at"])
        audit.record(actor, "directory.change", made, before=before, after=_facts(made) | _secret(secret))
    return made


def place(directory: Directory, position: int, actor: Actor) -> None:
    """Have a directory asked as the first, second … of all, counted from 1; raises ValidationError."""
    with turn():
        rows = list(Directory.objects.select_for_update().order_by("position", "name"))
        before = [row.pk for row in rows].index(directory.pk) + 1
        rows.insert(max(1, position) - 1, rows.pop(before - 1))
        after = [row.pk for row in rows].index(directory.pk) + 1
        if before != after:
            _refuse_listener(actor)
        for number, row in enumerate(rows, start=1):
            if row.position != number:
                Directory.objects.filter(pk=row.pk).update(position=number)
        directory.position = after
        if before != after:
            audit.record(actor, "directory.place", directory, before={"position": before}, after={"position": after})


def remove(directory: Directory, actor: Actor) -> None:
    """Remove a directory with its accounts and what its groups were granted; raises ValidationError."""
    if _is_own(directory, actor):
        raise ValidationError(_("You signed in by this directory; somebody else has to remove it."))
    if directory.enabled:
        with turn():
            Directory.objects.filter(pk=directory.pk).update(enabled=False)  # nobody comes in meanwhile
            audit.record(actor, "directory.change", directory, before={"enabled": True}, after={"enabled": False})
    while batch := list(directory.users.order_by("pk")[:REMOVED_AT_ONCE]):
        with turn():
            for user in batch:
                users.remove(user, actor)
    with turn():
        grants = [
            f"{group.name}: {grant}"
            for group in directory.groups.order_by("pk")
            for grant in holdings.of(group).get("grants", [])
        ]
        before = _facts(directory) | ({"grants": grants} if grants else {})
        audit.record(actor, "directory.remove", directory, before=before)
        directory.delete()


def _refuse_listener(actor: Actor) -> None:
    """Refuse whoever would listen, by a directory of his making, to people that may do more than he.

    Of somebody who was never here all directories are asked in their order, with the password: each hears what is meant
    for those after it, and, while they are silent, for those before it.
    """
    standing.refuse_higher(actor, User.objects.exclude(directory=None), DirectoryGroup.objects.all())


def _is_own(directory: Directory, actor: Actor) -> bool:
    return actor.user is not None and actor.user.directory_id == directory.pk


def _facts(directory: Directory) -> dict[str, Any]:
    facts = {name: getattr(directory, name) for name in CHANGEABLE if name not in {"bind_password", "ca_certificate"}}
    return facts | {"ca_certificate": [one.subject for one in directory.authorities]}


def _secret(changed: bool) -> dict[str, str]:
    return {"bind_password": audit.CHANGED} if changed else {}


def _attempt(faults: dict[str, list[str]], field: str, act: Callable[[], Any]) -> Any:
    """Give what a check makes of a field; what it refuses is kept at the field."""
    try:
        return act()
    except ValidationError as error:
        faults.setdefault(field, []).extend(error.messages)
        return None


def _clean_connection(made: Directory, faults: dict[str, list[str]]) -> None:
    if made.encryption not in Encryption.values:
        faults["encryption"] = [_("Choose one of: %(choices)s.") % {"choices": ", ".join(Encryption.values)}]
        return
    if made.encryption == Encryption.NONE and not options.get("ldap_allow_unencrypted"):
        faults["encryption"] = [
            _("Passwords would travel in clear text. Set the option ldap_allow_unencrypted first if you must.")
        ]
    servers = made.servers if isinstance(made.servers, list) else []
    clean = _attempt(faults, "servers", lambda: _servers(servers, made))
    made.servers = clean or []


def _clean_authority(made: Directory, faults: dict[str, list[str]]) -> None:
    pem = _attempt(faults, "ca_certificate", lambda: certificates.read_upload(made.ca_certificate.encode()))
    made.ca_certificate = pem or ""


def _servers(servers: Sequence[Any], made: Directory) -> list[str]:
    if not servers or not all(isinstance(one, str) for one in servers):
        raise ValidationError(_("Enter at least one server."))
    if len(servers) > MOST_SERVERS:
        raise ValidationError(_("Enter at most %(count)s.") % {"count": MOST_SERVERS})
    clean = [syntax.clean_server(one, made.scheme, made.default_port) for one in servers]
    return list(dict.fromkeys(clean))


def _clean_searches(made: Directory, faults: dict[str, list[str]]) -> None:
    if made.kind not in DirectoryKind.values:
        faults["kind"] = [_("Choose one of: %(choices)s.") % {"choices": ", ".join(DirectoryKind.values)}]
        return
    for name, usual in USUAL[made.kind].items():
        if not getattr(made, name):
            setattr(made, name, usual)
    of_active_directory = GroupKind.ACTIVE_DIRECTORY.value
    if made.group_kind not in GroupKind.values:
        faults["group_kind"] = [_("Choose one of: %(choices)s.") % {"choices": ", ".join(GroupKind.values)}]
        return
    if (made.kind == DirectoryKind.ACTIVE_DIRECTORY) != (made.group_kind == of_active_directory):
        faults["group_kind"] = [_("Groups of an Active Directory belong to an Active Directory, and no others do.")]
    if not made.group_filter:
        made.group_filter = USUAL_GROUP_FILTER[made.group_kind]
    checks: dict[str, Callable[[str], str]] = {name: syntax.clean_attribute for name in ATTRIBUTES}
    checks |= {name: syntax.clean_dn for name in ("bind_dn", "search_base", "group_base")}
    checks |= {
        "user_filter": lambda text: syntax.clean_filter(text, names_user=True),
        "group_filter": lambda text: syntax.clean_filter(text, names_user=False),
    }
    if made.kind == DirectoryKind.ACTIVE_DIRECTORY:
        checks["bind_dn"] = _clean_account
    for name, check in checks.items():
        value = getattr(made, name)
        clean = _attempt(faults, name, lambda check=check, value=value: check(value))  # type: ignore[misc]
        if clean is not None:
            setattr(made, name, clean)


def _clean_account(text: str) -> str:
    """Take also ``name@domain`` and ``DOMAIN\\name``, as an Active Directory does."""
    return text if "@" in text or "\\" in text else syntax.clean_dn(text)


def _clean_password(made: Directory, before: Directory | None, is_given: bool, faults: dict[str, list[str]]) -> None:
    if not made.bind_dn:
        made.bind_password = None
        return
    if not made.bind_password:
        faults["bind_password"] = [_("Enter the password of the account that searches.")]
    elif "\x00" in str(made.bind_password):
        faults["bind_password"] = [_("Null characters are not allowed.")]
    elif before is not None and before.bind_password and not is_given and _goes_elsewhere(made, before):
        faults["bind_password"] = [
            _("Enter the password again: with these changes it would go elsewhere, or less safely, than before.")
        ]


def _goes_elsewhere(made: Directory, before: Directory) -> bool:
    """Say whether a stored password, which nobody may read, would reach a server it was not entered for."""
    return (
        bool(set(made.servers) - set(before.servers))
        or (made.encryption == Encryption.NONE and before.encryption != Encryption.NONE)
        or (before.verify_tls and not made.verify_tls)
    )

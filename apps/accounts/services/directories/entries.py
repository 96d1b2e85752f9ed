"""Reads what a directory says of a person: his names, what stays when he is renamed, and whether he may be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.utils import timezone
from ldap.filter import escape_filter_chars

from apps.accounts.models import Directory, DirectoryKind
from apps.accounts.services.directories.active_directory import as_bytes

NEVER = (0, 0x7FFF_FFFF_FFFF_FFFF)  # accountExpires of an account without an end
FILETIME_BEGINS = datetime(1601, 1, 1, tzinfo=UTC)
UNIX_BEGINS = datetime(1970, 1, 1, tzinfo=UTC)
DISABLED, NO_PASSWORD_AGE = 0x2, 0x10000  # userAccountControl, MS-ADTS 2.2.16
LOCKED_OUT, PASSWORD_OLD = 0x10, 0x800000  # msDS-User-Account-Control-Computed, MS-ADTS 3.1.1.4.5.17
FOREVER = "000001010000Z"  # pwdAccountLockedTime of an account that an administrator locked

STATES_OF_LDAP = (
    *("entryUUID", "nsUniqueId", "ipaUniqueID", "uid", "gidNumber"),
    *("pwdAccountLockedTime", "pwdEndTime", "pwdReset", "nsAccountLock", "loginDisabled", "shadowExpire"),
)
STATES_OF_ACTIVE_DIRECTORY = (
    *("objectGUID", "objectSid", "primaryGroupID", "userAccountControl", "accountExpires", "pwdLastSet"),
    *("lockoutTime", "msDS-User-Account-Control-Computed"),
)


class AccountState(StrEnum):
    """Whether the directory lets an account be used, the most lasting hindrance first."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    EXPIRED = "expired"
    LOCKED = "locked"
    MUST_CHANGE = "must-change"
    PASSWORD_EXPIRED = "password-expired"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Entry:
    """A person as the directory knows him."""

    dn: str
    identity: str  # what stays when he is renamed or moved; the name of the entry where the server has no such thing
    username: str
    first_name: str
    last_name: str
    email: str
    state: AccountState
    attrs: Mapping[str, Any]


def attributes_of(directory: Directory) -> list[str]:
    """Give the attributes that are asked for."""
    asked = [
        directory.username_attribute,
        directory.first_name_attribute,
        directory.last_name_attribute,
        directory.mail_attribute,
    ]
    more = STATES_OF_ACTIVE_DIRECTORY if directory.kind == DirectoryKind.ACTIVE_DIRECTORY.value else STATES_OF_LDAP
    return list(dict.fromkeys([*filter(None, asked), *more]))


def read(directory: Directory, dn: str, attrs: Mapping[str, Any]) -> Entry:
    """Read one found entry."""

    def text(name: str) -> str:
        values = attrs.get(name) if name else None
        return str(values[0]).strip() if values and isinstance(values[0], str) else ""

    return Entry(
        dn=dn,
        identity=_identity(attrs) or dn,
        username=text(directory.username_attribute),
        first_name=text(directory.first_name_attribute),
        last_name=text(directory.last_name_attribute),
        email=text(directory.mail_attribute),
        state=state_of(attrs, timezone.now()),
        attrs=attrs,
    )


def _identity(attrs: Mapping[str, Any]) -> str:
    guid = _first(attrs, "objectGUID")
    if guid is not None:
        raw = as_bytes(guid)
        return str(UUID(bytes_le=raw)) if len(raw) == 16 else raw.hex()
    for name in ("entryUUID", "nsUniqueId", "ipaUniqueID"):
        if (found := _first(attrs, name)) is not None:
            return str(found)
    return ""


def identity_filter(directory: Directory, identity: str) -> str:
    """Give the filter that finds an entry again that was renamed or moved; empty where nothing of it stays."""
    if "=" in identity:
        return ""
    if directory.kind == DirectoryKind.ACTIVE_DIRECTORY.value:
        return "(objectGUID=" + "".join(f"\\{byte:02x}" for byte in UUID(identity).bytes_le) + ")"
    value = escape_filter_chars(identity)
    return f"(|(entryUUID={value})(nsUniqueId={value})(ipaUniqueID={value}))"


def state_of(attrs: Mapping[str, Any], now: datetime) -> AccountState:
    """Say whether an account may be used; a server that tells nothing of it has enabled it."""
    control, computed = _number(attrs, "userAccountControl"), _number(attrs, "msDS-User-Account-Control-Computed")
    if control & DISABLED or _is_true(attrs, "nsAccountLock") or _is_true(attrs, "loginDisabled"):
        return AccountState.DISABLED
    locked_at = _first(attrs, "pwdAccountLockedTime")
    if locked_at == FOREVER:
        return AccountState.DISABLED
    if any(end is not None and end <= now for end in _ends(attrs)):
        return AccountState.EXPIRED
    if computed & LOCKED_OUT or locked_at is not None:
        return AccountState.LOCKED
    if "msDS-User-Account-Control-Computed" not in attrs and _number(attrs, "lockoutTime") > 0:
        return AccountState.LOCKED
    if _is_true(attrs, "pwdReset") or (_first(attrs, "pwdLastSet") == "0" and not control & NO_PASSWORD_AGE):
        return AccountState.MUST_CHANGE
    return AccountState.PASSWORD_EXPIRED if computed & PASSWORD_OLD else AccountState.ENABLED


def _ends(attrs: Mapping[str, Any]) -> Sequence[datetime | None]:
    """Give the times at which an account ends, as the kinds of server say it."""
    ticks, days = _number(attrs, "accountExpires"), _number(attrs, "shadowExpire", -1)
    return (
        None if ticks in NEVER or ticks < 0 else _later(FILETIME_BEGINS, timedelta(microseconds=ticks // 10)),
        None if days < 0 else _later(UNIX_BEGINS, timedelta(days=min(days, 999_999))),
        _generalized(_first(attrs, "pwdEndTime")),
    )


def _later(begin: datetime, span: timedelta) -> datetime | None:
    try:
        return begin + span
    except OverflowError:
        return None


def _generalized(value: Any) -> datetime | None:
    """Read a time like ``20301231235959Z`` (RFC 4517 3.3.13)."""
    try:
        return datetime.strptime(str(value)[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC) if value else None
    except ValueError:
        return None


def _first(attrs: Mapping[str, Any], name: str) -> Any:
    values = attrs.get(name)
    return values[0] if values else None


def _number(attrs: Mapping[str, Any], name: str, missing: int = 0) -> int:
    try:
        return int(_first(attrs, name) or missing)
    except (TypeError, ValueError):
        return missing


def _is_true(attrs: Mapping[str, Any], name: str) -> bool:
    return str(_first(attrs, name)).upper() == "TRUE"

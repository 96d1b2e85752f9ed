"""The people who sign in with their teams and directories, what they sign in with, what failed, and their sessions."""

from apps.accounts.models.directories import Bar, Directory, DirectoryGroup, DirectoryKind, Encryption, GroupKind
from apps.accounts.models.lock_outs import LockedThing, LockOut, LockOutQuerySet
from apps.accounts.models.passwords import FormerPassword
from apps.accounts.models.second_factor import RecoveryCode, TotpDevice
from apps.accounts.models.sessions import Session
from apps.accounts.models.teams import Team
from apps.accounts.models.users import Theme, User

__all__ = [
    "Bar",
    "Directory",
    "DirectoryGroup",
    "DirectoryKind",
    "Encryption",
    "FormerPassword",
    "GroupKind",
    "LockOut",
    "LockOutQuerySet",
    "LockedThing",
    "RecoveryCode",
    "Session",
    "Team",
    "Theme",
    "TotpDevice",
    "User",
]

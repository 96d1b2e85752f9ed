"""The people who sign in with their teams, what they sign in and signed in with, what failed, and their sessions."""

from apps.accounts.models.lock_outs import LockedThing, LockOut, LockOutQuerySet
from apps.accounts.models.passwords import FormerPassword
from apps.accounts.models.second_factor import RecoveryCode, TotpDevice
from apps.accounts.models.sessions import Session
from apps.accounts.models.teams import Team
from apps.accounts.models.users import Theme, User

__all__ = [
    "FormerPassword",
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

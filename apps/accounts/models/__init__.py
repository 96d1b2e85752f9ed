"""The people who sign in, the teams that they form, what failed of signing in, and their second factors."""

from apps.accounts.models.lock_outs import LockedThing, LockOut, LockOutQuerySet
from apps.accounts.models.second_factor import RecoveryCode, TotpDevice
from apps.accounts.models.teams import Team
from apps.accounts.models.users import Theme, User

__all__ = ["LockOut", "LockOutQuerySet", "LockedThing", "RecoveryCode", "Team", "Theme", "TotpDevice", "User"]

"""The people who sign in with their teams, what they used to sign in with, and where they are signed in."""

from apps.accounts.models.passwords import FormerPassword
from apps.accounts.models.sessions import Session
from apps.accounts.models.teams import Team
from apps.accounts.models.users import Theme, User

__all__ = ["FormerPassword", "Session", "Team", "Theme", "User"]

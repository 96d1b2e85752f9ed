"""The people who sign in, and the teams that they form."""

from apps.accounts.models.teams import Team
from apps.accounts.models.users import Theme, User

__all__ = ["Team", "Theme", "User"]

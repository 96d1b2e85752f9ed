"""The people who sign in, the teams that they form, and the directories that they come from."""

from apps.accounts.models.directories import Bar, Directory, DirectoryGroup, DirectoryKind, Encryption, GroupKind
from apps.accounts.models.teams import Team
from apps.accounts.models.users import Theme, User

__all__ = ["Bar", "Directory", "DirectoryGroup", "DirectoryKind", "Encryption", "GroupKind", "Team", "Theme", "User"]

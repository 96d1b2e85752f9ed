"""The verbs of access: tokens, roles, grants, addresses."""

from apps.access.services.roles import create_first_administrator

__all__ = ["create_first_administrator"]

"""The verbs of access: tokens, roles, grants, addresses."""

"""Who may do what: roles, grants on group subtrees, tokens and addresses."""

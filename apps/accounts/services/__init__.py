"""The verbs of accounts: users, passwords, sessions."""

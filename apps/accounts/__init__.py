"""Users, sign-in and their preferences."""

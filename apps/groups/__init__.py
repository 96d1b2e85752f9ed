"""The group tree."""

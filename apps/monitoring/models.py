"""Readings and their history."""

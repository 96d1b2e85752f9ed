"""Alerts, incidents and definitions."""

"""What control keeps: the consoles that were open."""

from apps.control.models.console import ConsoleEnd, ConsoleQuerySet, ConsoleSession

__all__ = ["ConsoleEnd", "ConsoleQuerySet", "ConsoleSession"]

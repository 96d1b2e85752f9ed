"""What control keeps: the consoles that were open, and what is ordered at a set time or by a rule."""

from apps.control.models.console import ConsoleEnd, ConsoleQuerySet, ConsoleSession
from apps.control.models.remote_batch import (
    RemoteBatch,
    RemoteBatchQuerySet,
    RemoteBatchRun,
    RemoteBatchRunQuerySet,
    RemoteBatchTarget,
    RunState,
)

__all__ = [
    "ConsoleEnd",
    "ConsoleQuerySet",
    "ConsoleSession",
    "RemoteBatch",
    "RemoteBatchQuerySet",
    "RemoteBatchRun",
    "RemoteBatchRunQuerySet",
    "RemoteBatchTarget",
    "RunState",
]

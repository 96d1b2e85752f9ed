"""What control keeps: remote batches with their runs, and the consoles that were open."""

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

"""What control keeps: open consoles, what is ordered at a set time or by a rule, and the settings of devices."""

from apps.control.models.console import ConsoleEnd, ConsoleQuerySet, ConsoleSession
from apps.control.models.device_settings import SettingsOrder, SettingsSnapshot
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
    "SettingsOrder",
    "SettingsSnapshot",
]

"""Jobs and their steps, the audit, and the values of options."""

from apps.core.models.audit import AuditChain, AuditEntry, AuditQuerySet, Break, FoldedRefusals, Outcome
from apps.core.models.jobs import (
    OPEN_JOBS,
    OPEN_STEPS,
    Job,
    JobQuerySet,
    JobState,
    JobStep,
    StepCode,
    StepStage,
    StepState,
)
from apps.core.models.options import OptionValue

__all__ = [
    "OPEN_JOBS",
    "OPEN_STEPS",
    "AuditChain",
    "AuditEntry",
    "AuditQuerySet",
    "Break",
    "FoldedRefusals",
    "Job",
    "JobQuerySet",
    "JobState",
    "JobStep",
    "OptionValue",
    "Outcome",
    "StepCode",
    "StepStage",
    "StepState",
]

"""Keeps whether a directory answered when it was asked last, for whoever looks at its page."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import Directory
from apps.accounts.services.directories.faults import Fault
from apps.core.phrases import Phrase
from apps.core.writes import turn

NOTED_EVERY = timedelta(minutes=1)  # while nothing changes it is not written more often


def note(directory: Directory, fault: Fault | None) -> None:
    """Keep that a directory answered, or why not."""
    now = timezone.now()
    rows = Directory.objects.filter(pk=directory.pk)
    with turn():
        if fault is not None:
            rows.exclude(fault=fault.text).update(fault=fault.text)
            return
        stale = Q(answered_at=None) | Q(answered_at__lte=now - NOTED_EVERY)
        rows.filter(stale | ~Q(fault=Phrase())).update(answered_at=now, fault=Phrase())

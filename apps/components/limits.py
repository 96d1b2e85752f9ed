"""How many components may be registered, by option."""

from collections.abc import Sequence

from django.utils.translation import gettext_noop

from apps.components.models import Category, Component
from apps.components.services.drafts import NewComponent
from apps.core import options
from apps.core.phrases import Phrase

TOO_MANY = gettext_noop("At most %(limit)s devices can be managed; the option max_managed_devices says so.")
TOO_MANY_HYPERVISORS = gettext_noop("At most %(limit)s hypervisors can be registered; the option max_esxi says so.")


def within_managed_limit(new: Sequence[NewComponent]) -> list[Phrase]:
    """Refuse more managed devices than allowed; those set to not managed and alert-only ones are not counted."""
    coming = [one for one in new if not one.unmanaged and one.category != Category.ALERT_ONLY]
    present = Component.objects.managed().exclude(category=Category.ALERT_ONLY)
    return _judge(coming, present.exclude(pk__in=_ids(new)).count(), "max_managed_devices", TOO_MANY)


def within_hypervisor_limit(new: Sequence[NewComponent]) -> list[Phrase]:
    """Refuse more hypervisors than allowed."""
    coming = [one for one in new if one.category == Category.HYPERVISOR]
    present = Component.objects.filter(category=Category.HYPERVISOR)
    return _judge(coming, present.exclude(pk__in=_ids(new)).count(), "max_esxi", TOO_MANY_HYPERVISORS)


def _ids(new: Sequence[NewComponent]) -> list[int]:
    return [one.id for one in new if one.id is not None]


def _judge(coming: Sequence[NewComponent], present: int, option: str, sentence: str) -> list[Phrase]:
    limit = options.get(option)
    if coming and present + len(coming) > limit:
        return [Phrase(sentence, {"limit": str(limit)})]
    return []

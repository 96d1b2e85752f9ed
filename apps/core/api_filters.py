"""Filters of the API for ids and for several values of one field."""

from typing import Any

import django_filters

from apps.core.api_fields import LARGEST_ID


class IdFilter(django_filters.NumberFilter):
    """An id; of nothing, when no such row is there. What is no id is a 400 naming the filter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=LARGEST_ID, decimal_places=0, **kwargs)

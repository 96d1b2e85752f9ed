"""Filters of the API that take nothing for what it is not, and the check that no parameter of a list is unknown."""

from collections.abc import Iterator, Sequence
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions
from rest_framework.request import Request

from apps.core.api_fields import LARGEST_ID

FLAGS = {"true": True, "false": False}


@extend_schema_field(int)
class IdFilter(django_filters.NumberFilter):
    """An id; of nothing, when no such row is there. What is no id is a 400 naming the filter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=LARGEST_ID, decimal_places=0, **kwargs)


class FlagField(forms.Field):
    """The word true or false."""

    def to_python(self, value: Any) -> bool | None:
        """Refuse every other word, which would otherwise be read as no filter at all."""
        if value in self.empty_values:
            return None
        flag = FLAGS.get(str(value).strip().lower())
        if flag is None:
            raise ValidationError(_("Enter true or false."), code="invalid")
        return flag


class FlagFilter(django_filters.BooleanFilter):
    """True or false. What is neither is a 400 naming the filter."""

    field_class = FlagField


class AddressFilter(django_filters.CharFilter):
    """An IP address in any of its forms. What is none is a 400 naming the filter."""

    field_class = forms.GenericIPAddressField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, unpack_ipv4=True, **kwargs)


class WordsFilter(django_filters.MultipleChoiceFilter):
    """Any of some words. What is none of them is a 400 naming the filter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A word of the row itself finds no row twice; to look for doubles would take all of them.
        super().__init__(*args, distinct=False, **kwargs)

    def filter(self, queryset: Any, value: Any) -> Any:
        """Keep the rows that have one of the words."""
        return queryset.filter(**{f"{self.field_name}__in": value}) if value else queryset


def known_parameters(view: Any) -> list[str]:
    """Give the names of all that may stand behind the address of a list."""
    return list(dict.fromkeys(_names(view)))


def _names(view: Any) -> Iterator[str]:
    if view.paginator is not None:
        yield from (one["name"] for one in view.paginator.get_schema_operation_parameters(view))
    for backend in view.filter_backends:
        if not issubclass(backend, DjangoFilterBackend):
            yield from (one["name"] for one in backend().get_schema_operation_parameters(view))
        elif getattr(view, "filterset_class", None) is not None:
            yield from view.filterset_class.base_filters
    yield from (one.name for one in view.query_parameters)
    yield view.settings.URL_FORMAT_OVERRIDE


def refuse_unknown_parameters(request: Request, view: Any) -> None:
    """Raise a 400 naming each parameter that the list does not know, with those it knows."""
    known = known_parameters(view)
    sentence = _("There is no such filter. Choose from: %(names)s.") % {"names": ", ".join(known)}
    wrong = {name: [sentence] for name in request.query_params if name not in known}
    if wrong:
        raise exceptions.ValidationError(wrong)


def is_dry(request: Request) -> bool:
    """Say whether a POST is only to be previewed; raises a 400 for any parameter but ``dry_run``."""
    refused = set(request.query_params) - {"dry_run"}
    if refused:
        raise exceptions.ValidationError({name: [_("There is no such parameter.")] for name in sorted(refused)})
    given = request.query_params.get("dry_run", "false").lower()
    if given not in ("true", "false"):
        raise exceptions.ValidationError({"dry_run": [_("Enter true or false.")]})
    return given == "true"


def chosen(request: Request, name: str, choices: Sequence[str]) -> str:
    """Give a parameter that is one of a few words, or nothing; raises a 400 naming it."""
    value = request.query_params.get(name, "")
    if value and value not in choices:
        sentence = _("Choose one of: %(choices)s.") % {"choices": ", ".join(choices)}
        raise exceptions.ValidationError({name: [sentence]})
    return value


def numbered(request: Request, name: str, low: int, high: int) -> int:
    """Give a parameter that is a number between two others; raises a 400 naming it."""
    raw = request.query_params.get(name, "").strip()
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 19 and low <= int(raw) <= high):
        sentence = _("Enter a number from %(low)s to %(high)s.") % {"low": low, "high": high}
        raise exceptions.ValidationError({name: [sentence]})
    return int(raw)

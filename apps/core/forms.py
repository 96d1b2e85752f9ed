"""What pages with forms share."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

LONGEST_ID = 18  # digits


def attempt(form: forms.BaseForm, act: Callable[[], Any], field: str = NON_FIELD_ERRORS) -> bool:
    """Call a service with what a valid form holds; what it refuses stands at the field, else above the form."""
    try:
        act()
    except ValidationError as error:
        faults = error.error_dict if hasattr(error, "error_dict") else {field: error.error_list}
        for name, sentences in faults.items():
            form.add_error(name if name in form.fields else None, ValidationError(sentences))
        return False
    return True


def row_id(raw: str) -> int | None:
    """Read the id of a row from what a browser sent; None when it is none that a database could hold."""
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= LONGEST_ID else None

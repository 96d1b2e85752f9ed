"""What pages with forms share."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext_lazy

UNSEEN = gettext_lazy("one that you may not see")  # a related row that is there
LONGEST_ID = 18  # digits
LARGEST_ID = 2**63 - 1
LAST_YEAR = 9000


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


class AsShown(forms.BaseForm):
    """A form that carries what it was shown with: what its reader left as it was is not a wish of his.

    ``changed_data`` names only what he changed, however old his page is.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            field.show_hidden_initial = not self.is_bound or self.add_initial_prefix(name) in self.data


class Chosen(forms.MultipleChoiceField):
    """Several of some words; the others are left out."""

    def clean(self, value: Any) -> list[str]:
        """Give those that are valid, each once."""
        return [word for word in dict.fromkeys(value or ()) if word and self.valid_value(word)]


class Words(forms.Field):
    """Several words of any kind."""

    widget = forms.SelectMultiple

    def __init__(self, longest: int) -> None:
        super().__init__(required=False)
        self.longest = longest

    def clean(self, value: Any) -> list[str]:
        """Give those that a database could hold, each once."""
        return [word for word in dict.fromkeys(value or ()) if 0 < len(word) <= self.longest and "\x00" not in word]


class Moment(forms.DateTimeField):
    """A time with its zone, or one of the reader's own."""

    def to_python(self, value: Any) -> Any:
        """Read a time that every calendar and database has."""
        try:
            moment = super().to_python(value)
        except OverflowError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None
        if moment is not None and not 1970 <= moment.year <= LAST_YEAR:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return moment

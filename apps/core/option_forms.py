"""The form of one option, on the page of the environment settings and in classic mode."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from apps.core import options
from apps.core.actors import Actor
from apps.core.forms import attempt
from apps.core.options import Option

LONGEST = 5000
SWITCH = [("true", gettext_lazy("on")), ("false", gettext_lazy("off"))]


class OptionForm(forms.Form):
    """The value of one option as somebody types it; the option itself says what it may be."""

    value = forms.CharField(label=gettext_lazy("Value"), required=False, max_length=LONGEST)

    def __init__(self, option: Option, data: Any = None, *, hidden: bool = False) -> None:
        initial = {} if hidden else {"value": options.shown(options.get(option.name))}
        super().__init__(data, auto_id=f"{option.name}-%s", initial=initial)
        self.option = option
        field = self.fields["value"]
        field.widget = _widget(option)
        field.disabled = option.read_only
        if option.secret:
            field.widget.attrs["autocomplete"] = "off"  # browsers, and our own drafts, do not keep it

    def save(self, actor: Actor) -> bool:
        """Set what was typed; what the option refuses stands at the field."""
        if not self.is_valid():
            return False
        value = self.cleaned_data["value"]
        return attempt(self, lambda: options.set_value(self.option.name, value, actor), "value")

    def reset(self, actor: Actor) -> bool:
        """Set the default again, whatever was typed."""
        self.full_clean()
        return attempt(self, lambda: options.reset(self.option.name, actor), "value")


def _widget(option: Option) -> forms.Widget:
    if option.type is bool:
        return forms.Select(choices=SWITCH)
    if option.choices:
        return forms.Select(choices=[(word, word) for word in option.choices])
    # A field of numbers would drop what is no number before anybody could say what is wrong with it.
    attrs = {"inputmode": "numeric"} if option.type is int else {}
    return forms.TextInput(attrs={**attrs, "spellcheck": "false"})

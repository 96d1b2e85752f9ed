"""How the fields of a credential are asked for in a form."""

from django import forms
from django.utils.translation import gettext_lazy

from apps.components.credential_kinds import CredentialField


def control_for(field: CredentialField, is_set: bool) -> forms.Field:
    """Make the control of one field; a secret that is set is not shown, and empty keeps it."""
    if field.choices:
        return forms.ChoiceField(
            label=field.label, choices=[(word, gettext_lazy(word)) for word in field.choices], required=False
        )
    widget: forms.Widget = forms.TextInput(attrs={"autocomplete": "off"})
    if field.multiline:
        widget = forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"})
    elif field.secret:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(
        label=field.label,
        required=field.required and not (is_set and field.secret),
        max_length=field.max_length,
        strip=False,
        widget=widget,
        help_text=gettext_lazy("Set; leave empty to keep it.") if is_set and field.secret else "",
    )

"""What is asked for on the pages of HTTPS."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.services.hosts import OPTION as NAMES
from apps.core import options
from apps.core.actors import Actor
from apps.core.options import Option
from apps.system.tls import services
from apps.system.tls.importing import LARGEST
from apps.system.tls.material import KINDS, Wish
from apps.system.tls.words import HSTS, HTTPS, MINIMUM, REDIRECT_PORT, RENEW_BEFORE

SET_HERE = (HTTPS, MINIMUM, REDIRECT_PORT, HSTS, RENEW_BEFORE, NAMES)


class OptionsForm(forms.Form):
    """The options of HTTPS; what the environment decides is shown and cannot be changed."""

    def __init__(self, data: Any = None) -> None:
        initial = {name: options.get(name) for name in SET_HERE}
        initial[NAMES] = ", ".join(initial[NAMES])
        super().__init__(data, initial=initial)
        for name in SET_HERE:
            self.fields[name] = _field(options.find(name))

    def changes(self) -> dict[str, Any]:
        """Give what was sent and differs from what is in force; a value is refused at its field."""
        found: dict[str, Any] = {}
        for name in SET_HERE:
            option = options.find(name)
            if option.read_only or name in self.errors:
                continue
            try:
                value = option.clean(self.cleaned_data[name])
            except ValidationError as error:
                self.add_error(name, error)
                continue
            if value != options.get(name):
                found[name] = value
        return found

    def save(self, actor: Actor) -> bool:
        """Set what was changed, all or nothing; say whether it was well."""
        wanted = self.changes()
        if self.errors:
            return False
        for name, value in wanted.items():
            options.set_value(name, value, actor)
        return True


def _field(option: Option) -> forms.Field:
    about: dict[str, Any] = {"label": option.label, "required": False, "disabled": option.read_only}
    span = f"{option.in_words} {option.unit}".strip()
    help_text = f"{option.help} ({span})" if option.type is int else str(option.help)
    if option.read_only:
        help_text = _("%(variable)s in the environment decides this option.") % {"variable": option.environment}
    if option.type is bool:
        return forms.BooleanField(**about, help_text=help_text)
    if option.choices:
        return forms.ChoiceField(**about, help_text=help_text, choices=[(word, word) for word in option.choices])
    if option.type is int:
        widget = forms.TextInput(attrs={"inputmode": "numeric"})
        return forms.CharField(**about, help_text=help_text, widget=widget)
    return forms.CharField(**about, help_text=help_text)


class WishForm(forms.Form):
    """What a new certificate is to be like."""

    common_name = forms.CharField(
        label=gettext_lazy("Common name"), help_text=gettext_lazy("The name by which the portal is usually called.")
    )
    names = forms.CharField(
        label=gettext_lazy("Names and addresses"),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=gettext_lazy("One a line. Browsers accept the portal under these alone."),
    )
    key = forms.ChoiceField(label=gettext_lazy("Key"), choices=list(KINDS.items()))
    days = forms.IntegerField(
        label=gettext_lazy("Valid for days"), min_value=services.SHORTEST, max_value=services.LONGEST
    )
    new_authority = forms.BooleanField(
        label=gettext_lazy("Make the authority anew, too"),
        required=False,
        help_text=gettext_lazy("Then every browser must be told again to trust it."),
    )

    @property
    def wish(self) -> Wish:
        """Give the wish; raises ValidationError by field."""
        sent = self.cleaned_data
        return Wish.of(sent["common_name"], sent["names"].splitlines(), sent["key"], sent["days"])


class ImportForm(forms.Form):
    """Files with certificate, chain and key, and the password of the key."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "PKCS12 (.p12, .pfx) or PEM. Without a key it must be the answer to the request that waits."
        ),
    )
    key = forms.FileField(
        label=gettext_lazy("Key"),
        required=False,
        help_text=gettext_lazy("Only where the key is in a PEM file of its own."),
    )
    password = forms.CharField(
        label=gettext_lazy("Password of the file"),
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """Read the files."""
        given = self.cleaned_data
        files = [one for one in (given.get("file"), given.get("key")) if one is not None]
        if any(one.size > LARGEST for one in files):
            raise ValidationError(
                _("The file is larger than any certificate is (%(most)s KB).") % {"most": LARGEST // 1024}
            )
        given["data"] = b"\n".join(one.read() for one in files)
        return given

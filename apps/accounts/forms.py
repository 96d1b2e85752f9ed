"""The forms of sign-in, second factor, password and preferences."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Theme, User
from apps.accounts.password_policy import in_words_lazy
from apps.accounts.services import users
from apps.accounts.services.sign_in_names import has_unseen, normal
from apps.core.recurrence import zone_names


class SignInForm(forms.Form):
    """A name and a password."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean_username(self) -> str:
        """Give the name in its usual form."""
        name = normal(self.cleaned_data["username"])
        if has_unseen(name):
            raise forms.ValidationError(_("This name holds characters that nobody sees."))
        return name


class CodeInput(forms.TextInput):
    """Takes a code that is worth nothing a second time: it is never written back into the page."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__({"autocomplete": "one-time-code", "autocapitalize": "none", **attributes})

    def format_value(self, value: Any) -> None:
        """Write nothing."""


class CodeForm(forms.Form):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        help_text=_("The six digits that the app shows now, or one of your recovery codes."),
        widget=CodeInput(autofocus=True),
    )


class FirstCodeForm(forms.Form):
    """The first code of an app that was just told the secret."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        help_text=_("The six digits that the app shows now."),
        widget=CodeInput(inputmode="numeric"),
    )


class ProofForm(forms.Form):
    """Password and code again, before what is worth both."""

    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        help_text=_("The six digits that the app shows now, or one of your recovery codes."),
        widget=CodeInput(),
    )


class PasswordForm(forms.Form):
    """The present password and the new one twice."""

    old_password = forms.CharField(
        label=_("Present password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("New password"),
        max_length=1000,
        strip=False,
        help_text=in_words_lazy(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("New password again"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Compare the two."""
        sent: dict[str, Any] = super().clean() or {}
        if "password" in sent and "again" in sent and sent["password"] != sent["again"]:
            self.add_error("again", _("The two passwords differ."))
        return sent


def zones() -> list[tuple[str, str]]:
    """Give the time zones that have a place in their name, and UTC."""
    return [("", "UTC"), *((name, name.replace("_", " ")) for name in zone_names())]


class PreferencesForm(forms.Form):
    """How the portal looks and speaks to one user."""

    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False, choices=zones)
    start_page = forms.ChoiceField(
        label=_("Start page"),
        required=False,
        help_text=_("Where you begin when you sign in without having asked for a page."),
    )
    theme = forms.ChoiceField(label=_("Colours"), choices=Theme.choices, widget=forms.RadioSelect)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language: Any = self.fields["language"]
        language.choices = [("", _("As the browser says")), *settings.LANGUAGES]
        start_page: Any = self.fields["start_page"]
        start_page.choices = [("", _("The first page of the portal")), *users.start_pages(user)]
        if len(start_page.choices) == 1:  # in classic mode, which has none of these pages
            del self.fields["start_page"]

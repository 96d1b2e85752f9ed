"""The forms of directories and of what their groups are granted."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.access.forms import GrantForm
from apps.accounts.models import Directory, DirectoryKind, Encryption, GroupKind
from apps.accounts.services.directories import certificates
from apps.accounts.services.directories.configuring import CHANGEABLE
from apps.accounts.services.directories.settings import USUAL

MONO: Final = {"class": "mono", "autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


def _line(label: Any, *, required: bool = False, help_text: Any = "", longest: int = 1000) -> forms.CharField:
    """Make the field of something that the directory spells."""
    widget = forms.TextInput(attrs=MONO)
    return forms.CharField(label=label, max_length=longest, required=required, help_text=help_text, widget=widget)


class DirectoryForm(forms.Form):
    """A directory; what is left empty becomes what is usual for its kind."""

    name = forms.CharField(label=_("Name"), max_length=60)
    kind = forms.ChoiceField(label=_("Kind"), choices=DirectoryKind.choices)
    servers = _line(
        _("Servers, tried in this order"),
        required=True,
        longest=4000,
        help_text=_("With spaces or commas between them; a port only where it is not the usual one."),
    )
    encryption = forms.ChoiceField(label=_("Encryption"), choices=Encryption.choices)
    verify_tls = forms.BooleanField(label=_("Check the certificate of the servers"), required=False)
    ca_certificate = forms.CharField(
        label=_("Certificate of the authority (CA)"),
        required=False,
        max_length=300_000,
        widget=forms.Textarea(attrs={**MONO, "rows": 3}),
        help_text=_("As text (PEM). Empty: the authorities that the system trusts."),
    )
    ca_file = forms.FileField(
        label=_("… or from a file"),
        required=False,
        help_text=_("PEM or DER. It needs no password."),
        widget=forms.FileInput(attrs={"accept": ".pem,.crt,.cer,.der"}),
    )
    bind_dn = _line(_("Bind as"), help_text=_("An account that may only search. Empty: without a name."))
    bind_password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    connect_timeout = forms.IntegerField(label=_("Seconds to connect"), min_value=1, max_value=30)
    answer_timeout = forms.IntegerField(label=_("Seconds to answer"), min_value=1, max_value=60)
    search_base = _line(_("Users under"), required=True)
    user_filter = _line(_("User filter"), help_text=_("%(user)s stands for the name that somebody typed."))
    username_attribute = _line(_("Attribute of the user name"), longest=60)
    mail_attribute = _line(_("Attribute of the mail address"), longest=60)
    first_name_attribute = _line(_("Attribute of the first name"), longest=60)
    last_name_attribute = _line(_("Attribute of the last name"), longest=60)
    group_base = _line(_("Groups under"), help_text=_("Empty: where the users are."))
    group_filter = _line(_("Group filter"))
    group_kind = forms.ChoiceField(label=_("Group kind"), choices=GroupKind.choices)
    nested_groups = forms.BooleanField(label=_("Groups in groups count as well"), required=False)
    let_in_unmapped = forms.BooleanField(
        label=_("Let in who is in no mapped group"),
        required=False,
        help_text=_("He sees nothing until an administrator grants him something."),
    )
    enabled = forms.BooleanField(label=_("In use"), required=False)

    def __init__(self, *args: Any, directory: Directory | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.was_set = directory is not None and bool(directory.bind_password)
        if self.was_set:
            self.fields["bind_password"].help_text = _("Set; leave empty to keep it.")

    @staticmethod
    def initial_of(directory: Directory) -> dict[str, Any]:
        """Give what the form shows of a directory."""
        shown = {name: getattr(directory, name) for name in CHANGEABLE if name != "bind_password"}
        return shown | {"servers": ", ".join(directory.servers)}

    @staticmethod
    def usual(kind: str) -> dict[str, Any]:
        """Give what the form of a new directory shows."""
        fresh = Directory(kind=kind, **USUAL[kind])
        return DirectoryForm.initial_of(fresh)

    def clean_servers(self) -> list[str]:
        """Give the servers as a list."""
        return str(self.cleaned_data["servers"]).replace(",", " ").split()

    def clean(self) -> dict[str, Any]:
        """Take the certificate of a file as if it had been typed, so that it is not lost with another fault."""
        sent: dict[str, Any] = super().clean() or {}
        file = sent.pop("ca_file", None)
        if file is not None:
            try:
                sent["ca_certificate"] = certificates.read_upload(file.read(certificates.LARGEST + 1))
            except ValidationError as error:
                self.add_error("ca_file", error)
            else:
                shown: Any = self.data.copy()  # type: ignore[attr-defined]  # what a browser sent can be copied
                shown[self.add_prefix("ca_certificate")] = sent["ca_certificate"]
                self.data = shown
        return sent

    def entered(self) -> dict[str, Any]:
        """Give what was entered, for the service; an empty password is none that was entered."""
        fields: dict[str, Any] = {name: self.cleaned_data[name] for name in CHANGEABLE if name in self.cleaned_data}
        if not fields.get("bind_password"):
            fields.pop("bind_password", None)
        return fields


class TestForm(forms.Form):
    """Whom to ask a directory about."""

    test_username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    test_password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        required=False,
        strip=False,
        help_text=_("Empty: it is not tried. It is not kept."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


class MappingForm(GrantForm):
    """A group of the directory and the role that its members hold."""

    dn = forms.CharField(
        label=_("Directory group"),
        max_length=1000,
        help_text=_("Its name, or its distinguished name. The directory is asked for it."),
        widget=forms.TextInput(attrs=MONO),
    )
    field_order = ("dn", "role", "group")

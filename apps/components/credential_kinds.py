"""The kinds of credentials and their fields: what is asked for, what is secret, and what a valid set is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.drivers.contract import Secret

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

AUTH_PROTOCOLS = ("none", "MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512")
PRIV_PROTOCOLS = ("none", "DES", "3DES", "AES-128", "AES-192", "AES-256")
SHORTEST_PASSPHRASE = 8  # RFC 3414 §11.2


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One field of a credential."""

    name: str
    label: "StrOrPromise"
    secret: bool = False
    required: bool = False
    choices: tuple[str, ...] = ()
    default: str = ""
    max_length: int = 255
    multiline: bool = False


@dataclass(frozen=True, slots=True)
class CredentialKind:
    """One kind of login; ``check`` gives what is wrong with a set of clean fields, by field."""

    name: str
    label: "StrOrPromise"
    fields: tuple[CredentialField, ...]
    check: Callable[[Mapping[str, str]], dict[str, str]] = lambda fields: {}

    def field(self, name: str) -> CredentialField | None:
        """Give the field of that name."""
        return next((field for field in self.fields if field.name == name), None)


def _check_snmp_v3(fields: Mapping[str, str]) -> dict[str, str]:
    wrong = {}
    for protocol, password in (("auth_protocol", "auth_password"), ("priv_protocol", "priv_password")):
        if fields[protocol] != "none" and len(fields[password]) < SHORTEST_PASSPHRASE:
            wrong[password] = _("Enter at least %(count)s characters.") % {"count": SHORTEST_PASSPHRASE}
        if fields[protocol] == "none" and fields[password]:
            wrong[protocol] = _("Choose the protocol that the password is for.")
    if fields["priv_protocol"] != "none" and fields["auth_protocol"] == "none":
        wrong["priv_protocol"] = _("Privacy needs authentication.")
    return wrong


def _check_ssh_key(fields: Mapping[str, str]) -> dict[str, str]:
    if "PRIVATE KEY-----" in fields["private_key"]:
        return {}
    return {"private_key": _("Enter a private key in PEM or OpenSSH format.")}


KINDS: dict[str, CredentialKind] = {
    kind.name: kind
    for kind in (
        CredentialKind(
            "snmp-community",
            gettext_lazy("SNMP community (v1, v2c)"),
            (
                CredentialField("version", gettext_lazy("Version"), choices=("1", "2c"), default="2c"),
                CredentialField("community", gettext_lazy("Community"), secret=True, required=True),
            ),
        ),
        CredentialKind(
            "snmp-v3",
            gettext_lazy("SNMP v3 user"),
            (
                CredentialField("username", gettext_lazy("User name"), required=True, max_length=32),
                CredentialField(
                    "auth_protocol", gettext_lazy("Authentication"), choices=AUTH_PROTOCOLS, default="none"
                ),
                CredentialField("auth_password", gettext_lazy("Authentication password"), secret=True),
                CredentialField("priv_protocol", gettext_lazy("Privacy"), choices=PRIV_PROTOCOLS, default="none"),
                CredentialField("priv_password", gettext_lazy("Privacy password"), secret=True),
                CredentialField("context", gettext_lazy("Context"), max_length=32),
            ),
            _check_snmp_v3,
        ),
        CredentialKind(
            "password",
            gettext_lazy("User name and password"),
            (
                CredentialField("username", gettext_lazy("User name"), required=True),
                CredentialField("password", gettext_lazy("Password"), secret=True, required=True),
            ),
        ),
        CredentialKind(
            "ssh-key",
            gettext_lazy("SSH key"),
            (
                CredentialField("username", gettext_lazy("User name"), required=True),
                CredentialField(
                    "private_key",
                    gettext_lazy("Private key"),
                    secret=True,
                    required=True,
                    max_length=20_000,
                    multiline=True,
                ),
                CredentialField("passphrase", gettext_lazy("Passphrase"), secret=True),
            ),
            _check_ssh_key,
        ),
    )
}


def clean(kind: CredentialKind, given: object, present: Mapping[str, str] | None = None) -> dict[str, str]:
    """Check what somebody gave and fill the rest from ``present`` or the defaults.

    Raises ValidationError on ``fields``; its sentences name the field and never quote what was given.
    """
    if not isinstance(given, Mapping):
        raise ValidationError({"fields": [_("Enter the fields of the credential as an object.")]})
    wrong = {
        str(name): _("There is no such field; the fields are %(names)s.")
        % {"names": ", ".join(field.name for field in kind.fields)}
        for name in given
        if kind.field(str(name)) is None
    }
    fields: dict[str, str] = {}
    for field in kind.fields:
        value = given.get(field.name, (present or {}).get(field.name, field.default))
        problem = _problem(field, value)
        if problem:
            wrong[field.name] = problem
        else:
            fields[field.name] = value
    if not wrong:
        wrong = kind.check(fields)
    if wrong:
        raise ValidationError({"fields": [f"{name}: {sentence}" for name, sentence in wrong.items()]})
    return fields


def _problem(field: CredentialField, value: object) -> str:
    if not isinstance(value, str):
        return _("Enter a text.")
    if field.required and not value:
        return _("This field is required.")
    if field.choices and value not in field.choices:
        return _("Choose one of: %(choices)s.") % {"choices": ", ".join(field.choices)}
    if len(value) > field.max_length:
        return _("Enter at most %(count)s characters.") % {"count": field.max_length}
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        return _("Null characters and halves of characters are not allowed.")
    return ""


def with_secrets(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give stored fields with the secret ones wrapped, so that none shows itself by accident."""
    known = KINDS[kind]
    return {
        name: Secret(value) if (field := known.field(name)) is None or field.secret else value
        for name, value in fields.items()
    }

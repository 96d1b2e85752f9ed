"""The form of a component: what it is called, where it stands, and the ways in which it is managed."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.components import addresses, credential_kinds, driver_parameters
from apps.components.credential_controls import control_for
from apps.components.manager_forms import ManagersOfOne
from apps.components.models import Category, Component, Credential, ManagementInterface
from apps.components.services.drafts import NewInterface
from apps.core import scoping
from apps.core.forms import UNSEEN, row_id
from apps.drivers.contract import Parameter
from apps.groups.forms import GroupChoice

NEW = "new"
MOST_FORMS = 20


class ComponentForm(ManagersOfOne):
    """The component itself."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    alias = forms.CharField(label=gettext_lazy("Alias"), max_length=200, required=False)
    category = forms.ChoiceField(label=gettext_lazy("Type"), required=False)
    group = GroupChoice(label=gettext_lazy("Group"))
    uuid = forms.UUIDField(label=gettext_lazy("Hardware UUID"), required=False)
    serial_number = forms.CharField(label=gettext_lazy("Serial number"), max_length=100, required=False)
    alert_addresses = forms.CharField(
        label=gettext_lazy("Further alert addresses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Addresses besides those below from which its alerts come, one a line."),
    )

    def __init__(self, *args: Any, user: Any, component: Component | None = None, **options: Any) -> None:
        super().__init__(*args, present=component.managed_elsewhere if component else {}, **options)
        GroupChoice.of(self, "group").offer(user, "components")
        choices = [(category.value, category.label) for category in Category]
        _choice(self, "category").choices = choices if component else [("", _("As the way of managing says")), *choices]

    def clean_alert_addresses(self) -> list[str]:
        """Give the addresses as a list."""
        return self.cleaned_data["alert_addresses"].split()


class InterfaceForm(forms.Form):
    """One way of managing, with a credential that is chosen or entered on the spot."""

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    driver = forms.ChoiceField(label=gettext_lazy("Managed by"))
    address = forms.CharField(label=gettext_lazy("Address"), max_length=253)
    port = forms.IntegerField(label=gettext_lazy("Port"), required=False, min_value=1, max_value=65535)
    credential = forms.ChoiceField(label=gettext_lazy("Credential"), required=False)
    new_name = forms.CharField(label=gettext_lazy("Name of the credential"), max_length=100, required=False)
    new_kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    enabled = forms.BooleanField(label=gettext_lazy("Enabled"), required=False, initial=True)
    remove = forms.BooleanField(label=gettext_lazy("Remove this way of managing"), required=False)

    def __init__(
        self, *args: Any, user: Any, present: Mapping[int, ManagementInterface] | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        specs = driver_parameters.offered()
        order = list(Category)
        by_category = sorted(specs.items(), key=lambda entry: order.index(Category(entry[1].category.value)))
        _choice(self, "driver").choices = [(name, _(spec.label)) for name, spec in by_category]
        usable = Credential.objects.visible_to(user, "components")
        choices = [("", _("None")), *((str(row.pk), row.name) for row in usable)]
        kept = self._kept_credential(present or {})
        if kept and kept not in dict(choices):
            choices.append((kept, str(UNSEEN)))
        kinds = {kind for spec in specs.values() for kind in spec.credential_kinds}
        self.kinds = [kind for kind in credential_kinds.KINDS.values() if kind.name in kinds]
        self.may_add = scoping.may_somewhere(user, "credentials") and bool(self.kinds)
        if self.may_add:
            choices.append((NEW, _("A new one …")))
            _choice(self, "new_kind").choices = [(kind.name, kind.label) for kind in self.kinds]
        _choice(self, "credential").choices = choices
        for kind in self.kinds if self.may_add else []:
            for field in kind.fields:
                control = self.fields[f"{kind.name}-{field.name}"] = control_for(field, is_set=False)
                control.required = False  # the service says what is missing, of the chosen kind only
                control.initial = field.default
        for spec in specs.values():
            for parameter in spec.parameters:
                self.fields[f"{spec.name}.{parameter.name}"] = _parameter_control(parameter)

    def _kept_credential(self, present: Mapping[int, ManagementInterface]) -> str:
        """Give the credential that the interface in the form has: it stays, also where the user may not see it."""
        given = self.data.get(self.add_prefix("id")) if self.is_bound else self.initial.get("id")
        row = present.get(row_id(str(given or "")) or 0)
        return str(row.credential_id or "") if row is not None else ""

    @property
    def is_empty(self) -> bool:
        """Say whether nothing was entered in a form that was only offered."""
        return not self.data.get(self.add_prefix("id")) and not self.data.get(self.add_prefix("address"), "").strip()

    @property
    def wants_new(self) -> bool:
        """Say whether a credential is entered here."""
        return bool(self.cleaned_data.get("credential") == NEW)

    def kind_fields(self) -> list[tuple[str, str, list[tuple[forms.BoundField, bool]]]]:
        """Give the controls of each kind of credential: its name, its label, its fields and whether they are needed."""
        if not self.may_add:
            return []
        return [
            (
                kind.name,
                str(kind.label),
                [(self[f"{kind.name}-{field.name}"], field.required or bool(field.choices)) for field in kind.fields],
            )
            for kind in self.kinds
        ]

    def driver_fields(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Give the controls of each driver's parameters."""
        specs = driver_parameters.offered().values()
        return [(s.name, [self[f"{s.name}.{p.name}"] for p in s.parameters]) for s in specs if s.parameters]

    def clean_address(self) -> str:
        """Check the address here, so that its error stands at its field."""
        return addresses.clean_host(self.cleaned_data["address"])

    def clean(self) -> dict[str, Any]:
        """Check that the credential fits the way of managing."""
        given = super().clean() or self.cleaned_data
        spec = driver_parameters.offered().get(given.get("driver", ""))
        if spec is None or self.errors:
            return given
        chosen = given.get("credential", "")
        if chosen == NEW and given.get("new_kind") not in spec.credential_kinds:
            self.add_error("new_kind", _("This way of managing cannot use a credential of this kind."))
        if not chosen and spec.credential_kinds:
            self.add_error("credential", _("This way of managing needs a credential."))
        if chosen.isdigit() and not spec.credential_kinds:
            self.add_error("credential", _("This way of managing needs no credential."))
        return given

    def new_fields(self) -> dict[str, str]:
        """Give the fields of the credential that is entered here, for the service."""
        kind = credential_kinds.KINDS[self.cleaned_data["new_kind"]]
        return {field.name: self.cleaned_data[f"{kind.name}-{field.name}"] for field in kind.fields}

    def refuse_credential(self, error: ValidationError) -> None:
        """Put what the credential service said at the fields that it named."""
        places = {"name": "new_name", "kind": "new_kind"}
        for name, errors in error.message_dict.items():
            for sentence in errors:
                field, _colon, rest = sentence.partition(": ")
                place = f"{self.cleaned_data['new_kind']}-{field}"
                if name == "fields" and place in self.fields:
                    self.add_error(place, rest)
                else:
                    self.add_error(places.get(name, "credential"), sentence)

    def draft(self, credential_id: int | None) -> NewInterface:
        """Give what was entered for the service."""
        given = self.cleaned_data
        spec = driver_parameters.offered()[given["driver"]]
        parameters = {p.name: given[f"{spec.name}.{p.name}"] for p in spec.parameters}
        return NewInterface(
            id=given["id"],
            driver=given["driver"],
            address=given["address"],
            port=given["port"],
            credential_id=credential_id,
            parameters={name: value for name, value in parameters.items() if value not in ("", None)},
            enabled=given["enabled"],
        )


def _choice(form: forms.Form, name: str) -> forms.ChoiceField:
    return cast(forms.ChoiceField, form.fields[name])


def _parameter_control(parameter: Parameter) -> forms.Field:
    words: dict[str, Any] = {
        "label": _(parameter.label),
        "help_text": _(parameter.help) if parameter.help else "",
        "required": False,
    }
    if parameter.type is bool:
        return forms.BooleanField(**words, initial=parameter.default)
    if parameter.type is int:
        limits: dict[str, Any] = {"min_value": parameter.minimum, "max_value": parameter.maximum}
        return forms.IntegerField(**words, **limits, initial=parameter.default)
    if parameter.choices:
        return forms.ChoiceField(**words, choices=[("", "–"), *((word, _(word)) for word in parameter.choices)])
    return forms.CharField(**words, max_length=driver_parameters.LONGEST_TEXT, initial=parameter.default)


def initial_of(row: ManagementInterface) -> dict[str, Any]:
    """Give what a form shows of an interface that is there."""
    shown = {"id": row.pk, "driver": row.driver, "address": row.address, "port": row.port, "enabled": row.enabled}
    shown["credential"] = str(row.credential_id or "")
    return shown | {f"{row.driver}.{name}": value for name, value in row.parameters.items()}

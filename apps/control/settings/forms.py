"""The form of settings, made from what devices tell: of one with its values, of many with nothing filled in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.control.settings import values
from apps.core.forms import AsShown
from apps.drivers.contract import Setting, SettingKind, SettingSection, SettingsReport

LEAVE = ("", gettext_lazy("as it is"))


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together: those of a section, or of one of several alike in it."""

    title: str  # empty: directly below the section
    fields: list[forms.BoundField]


@dataclass(frozen=True, slots=True)
class Card:
    """One section as a card."""

    name: str
    title: str
    hints: list[str]
    groups: list[Group]


class SettingsForm(AsShown, forms.Form):
    """The settings of one device: what is left as it was shown is no wish."""

    def __init__(self, report: SettingsReport, *args: Any, **options: Any) -> None:
        self.report = report
        self.declared = dict(_fields(report))
        super().__init__(*args, **options)
        for name, (_section, setting) in self.declared.items():
            self.fields[name] = self.field_of(setting)
            self.fields[name].show_hidden_initial = not self.is_bound or self.add_initial_prefix(name) in self.data

    def field_of(self, setting: Setting) -> forms.Field:
        """Give the field of a setting with its value."""
        field = _field(setting, [])
        field.initial = setting.value
        field.disabled = not setting.writable
        return field

    @property
    def wanted(self) -> dict[str, Any]:
        """Give what a valid form wishes."""
        found = {name: self.cleaned_data.get(name) for name in self.changed_data if name in self.declared}
        return {name: value for name, value in found.items() if value is not None and not self._is_blank_secret(name)}

    def _is_blank_secret(self, name: str) -> bool:
        return self.declared[name][1].kind is SettingKind.SECRET and not self.cleaned_data[name]

    def refuse(self, error: ValidationError) -> None:
        """Tell at each field what is wrong with it."""
        for name, sentences in error.message_dict.items():
            self.add_error(name if name in self.fields else None, ValidationError(sentences))

    @property
    def cards(self) -> Iterator[Card]:
        """Lay the fields out."""
        for section in self.report.sections:
            rows: dict[str, list[forms.BoundField]] = {}
            for setting in section.settings:
                if setting.name in self.fields:
                    rows.setdefault(setting.row, []).append(self[setting.name])
            if rows:
                groups = [Group(_row(section, row), fields) for row, fields in rows.items()]
                yield Card(section.name, _(section.label), [_(hint) for hint in section.hints], groups)


class SettingsOfMany(SettingsForm):
    """The same values for many devices: what is left empty stays as it is on each."""

    def field_of(self, setting: Setting) -> forms.Field:
        """Give the field without a value."""
        return _field(setting, [LEAVE])

    @property
    def wanted(self) -> dict[str, Any]:
        """Give what was filled in."""
        found = {name: self.cleaned_data[name] for name in self.declared if self.cleaned_data[name] not in ("", None)}
        switches = {name for name, (_s, one) in self.declared.items() if one.kind is SettingKind.SWITCH}
        return {name: value == "on" if name in switches else value for name, value in found.items()}


class Wish(forms.Form):
    """A wish that nobody typed."""

    def __init__(self, wanted: Mapping[str, Any], *args: Any, **options: Any) -> None:
        self.wanted = dict(wanted)
        super().__init__(*args, **options)

    def refuse(self, error: ValidationError) -> None:
        """Tell what is wrong with it as a whole."""
        self.add_error(None, [sentence for sentences in error.message_dict.values() for sentence in sentences])


def together(reports: Iterable[SettingsReport]) -> SettingsReport:
    """Give what can be set alike on several devices: what any of them has and no two have to have differently."""
    sections: dict[str, SettingSection] = {}
    found: dict[str, dict[str, Setting]] = {}
    for report in reports:
        for section in report.sections:
            sections.setdefault(section.name, section)
            for one in section.settings:
                if one.writable and not one.individual:
                    found.setdefault(section.name, {}).setdefault(one.name, one)
    return SettingsReport(
        tuple(replace(one, settings=tuple(found[name].values())) for name, one in sections.items() if found.get(name))
    )


def _fields(report: SettingsReport) -> Iterator[tuple[str, tuple[SettingSection, Setting]]]:
    for section in report.sections:
        for setting in section.settings:
            yield setting.name, (section, setting)


def _row(section: SettingSection, row: str) -> str:
    if not row:
        return ""
    return str(values.row_title(section, row))


def _field(setting: Setting, leave: list[tuple[str, Any]]) -> forms.Field:
    """Give a field; with ``leave`` one that may say that all stays as it is."""
    common: Mapping[str, Any] = {
        "label": _(setting.label),
        "help_text": _(setting.hint) if setting.hint else "",
        "required": False,
    }
    match setting.kind:
        case SettingKind.SWITCH:
            if leave:
                return forms.ChoiceField(choices=[*leave, ("on", _("on")), ("off", _("off"))], **common)
            return forms.BooleanField(**common)
        case SettingKind.NUMBER:
            return forms.IntegerField(min_value=setting.minimum, max_value=setting.maximum, **common)
        case SettingKind.CHOICE:
            return forms.ChoiceField(
                choices=[*leave, *((one.value, _(one.label)) for one in setting.choices)], **common
            )
        case SettingKind.SECRET:
            widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
            return forms.CharField(widget=widget, strip=False, max_length=setting.longest or values.LONGEST, **common)
    return forms.CharField(max_length=setting.longest or values.LONGEST, **common)

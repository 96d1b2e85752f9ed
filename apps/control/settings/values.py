"""Single settings: kept as JSON, checked before they are wished for, and put into words."""

import ipaddress
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from apps.components import addresses
from apps.core.phrases import Phrase
from apps.drivers.contract import (
    NEW,
    Carries,
    Choice,
    Setting,
    SettingKind,
    SettingSection,
    SettingsReport,
    SettingValue,
)

LONGEST = 1000
ROW_AND_LABEL = gettext_noop("%(part)s: %(what)s")


def dump(report: SettingsReport) -> dict[str, Any]:
    """Write a report as JSON."""
    return asdict(report)


def load(kept: Mapping[str, Any]) -> SettingsReport:
    """Read what ``dump`` wrote."""
    sections = tuple(
        SettingSection(
            section["name"],
            section["label"],
            tuple(_setting(one) for one in section["settings"]),
            section["row_label"],
            section["key"],
            section.get("new_label", ""),
            tuple(section["hints"]),
        )
        for section in kept.get("sections", ())
    )
    return SettingsReport(sections, *(bool(kept.get(name)) for name in ("may_reset", "may_restart", "awaits_restart")))


def _setting(kept: Mapping[str, Any]) -> Setting:
    return Setting(
        **{
            **kept,
            "kind": SettingKind(kept["kind"]),
            "carries": Carries(kept["carries"]),
            "choices": tuple(Choice(**choice) for choice in kept["choices"]),
        }
    )


def find(report: SettingsReport, name: str) -> tuple[SettingSection, Setting] | None:
    """Find a setting by its name."""
    for section in report.sections:
        for setting in section.settings:
            if setting.name == name:
                return section, setting
    return None


def title(section: SettingSection, setting: Setting) -> Phrase:
    """Call a setting by whole words: "Subnet mask", "User 3: privilege"."""
    if not setting.row:
        return Phrase(setting.label)
    row = row_title(section, setting.row)
    return Phrase(ROW_AND_LABEL, {"part": row, "what": setting.label})


def row_title(section: SettingSection, row: str) -> Phrase:
    """Call a row: "User 3", "New user"."""
    if row == NEW and section.new_label:
        return Phrase(section.new_label)
    return Phrase(section.row_label, {"row": row})


def words(setting: Setting, value: SettingValue) -> Phrase:
    """Put a value into words; a secret is only said to be set."""
    if setting.kind is SettingKind.SECRET:
        return Phrase(gettext_noop("(not shown)"))
    if setting.kind is SettingKind.SWITCH:
        return Phrase(gettext_noop("on") if value else gettext_noop("off"))
    if setting.kind is SettingKind.CHOICE:
        return Phrase(next((one.label for one in setting.choices if one.value == value), str(value)))
    return Phrase(str(value)) if value not in ("", None) else Phrase(gettext_noop("(empty)"))


def clean(setting: Setting, value: object) -> SettingValue:
    """Give a value in its one form; raises ValidationError."""
    match setting.kind:
        case SettingKind.SWITCH:
            if not isinstance(value, bool):
                raise ValidationError(_("Enter true or false."))
            return value
        case SettingKind.NUMBER:
            return _number(setting, value)
        case SettingKind.CHOICE:
            if not isinstance(value, str) or value not in {one.value for one in setting.choices}:
                known = ", ".join(one.value for one in setting.choices)
                raise ValidationError(_("Choose one of: %(choices)s.") % {"choices": known})
            return value
        case SettingKind.ADDRESS:
            return _address(setting, _text(setting, value))
        case SettingKind.SECRET:
            if not value:
                raise ValidationError(_("A password cannot be empty."))
    return _text(setting, value)


def _number(setting: Setting, value: object) -> int:
    low, high = setting.minimum, setting.maximum
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or (low is not None and value < low) or (high is not None and value > high):  # type: ignore[operator]  # a number
        raise ValidationError(
            _("Enter a whole number from %(low)s to %(high)s.")
            % {"low": low if low is not None else "…", "high": high if high is not None else "…"}
        )
    return value  # type: ignore[return-value]  # a number


def _text(setting: Setting, value: object) -> str:
    if not isinstance(value, str):
        raise ValidationError(_("Enter a text."))
    found = value if setting.kind is SettingKind.SECRET else value.strip()
    most = setting.longest or LONGEST
    if len(found) > most:
        raise ValidationError(_("Enter at most %(number)s characters.") % {"number": most})
    if not found.isprintable():
        raise ValidationError(_("Control characters cannot be part of it."))
    return found


def _address(setting: Setting, text: str) -> str:
    if not text:
        if setting.carries is Carries.ADDRESS or setting.name == "network.mask":
            raise ValidationError(pgettext("address", "It cannot be empty."))
        return ""
    if setting.name == "network.mask":
        try:
            ipaddress.IPv4Network(f"0.0.0.0/{text}")
        except ValueError as error:
            raise ValidationError(_("%(word)s is no subnet mask.") % {"word": text[:60]}) from error
        if "." not in text:
            raise ValidationError(_("%(word)s is no subnet mask.") % {"word": text[:60]})
        return text
    found = addresses.clean_address(text)
    if ":" in found:
        raise ValidationError(_("Enter an IPv4 address."))
    return found

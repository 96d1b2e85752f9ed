"""The part of forms that says which manager does what of a component."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from apps.components import ownership

LEFT, HERE, ELSEWHERE = "", "here", "elsewhere"


class ManagersForm(forms.Form):
    """For each function: this portal or another manager, and which; of many also "as it is on each"."""

    def __init__(self, *args: Any, present: Mapping[str, str] | None = None, **options: Any) -> None:
        """Begin with what is ``present``; None: what is there is left unless something is chosen."""
        super().__init__(*args, **options)
        self.present = present or {}
        self.names = [name for name, _function in ownership.functions.items()]
        for name, function in ownership.functions.items():
            choices = [(HERE, _("This portal")), (ELSEWHERE, _("Another manager"))]
            left = [(LEFT, _("As it is on each"))] if present is None else []
            self.fields[f"owner-{name}"] = forms.ChoiceField(
                label=_(function.label),
                choices=[*left, *choices],
                required=False,
                help_text=_(function.left_alone),
                initial=_now(name, present),
            )
            self.fields[f"manager-{name}"] = forms.CharField(
                label=_("Which one"),
                max_length=ownership.LONGEST_NOTE,
                required=False,
                help_text=_("A name or an address, for whoever reads this. It may stay empty."),
                initial=(present or {}).get(name, ""),
            )

    @property
    def pairs(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Give for each function who has it, and which manager that is."""
        return [(self[f"owner-{name}"], self[f"manager-{name}"]) for name in self.names]

    @property
    def wishes(self) -> dict[str, str | None]:
        """Give what a valid form says: the note of a function that is elsewhere, None of one that is here."""
        chosen = {name: self.cleaned_data.get(f"owner-{name}") or LEFT for name in self.names}
        return {
            name: self.cleaned_data[f"manager-{name}"] if owner == ELSEWHERE else None
            for name, owner in chosen.items()
            if owner != LEFT
        }

    def suggest(self, name: str, manager: str) -> None:
        """Begin with another manager for a function, as somebody saw one."""
        if name in self.names:
            self.fields[f"owner-{name}"].initial = ELSEWHERE
            self.fields[f"manager-{name}"].initial = manager[: ownership.LONGEST_NOTE]


def _now(name: str, present: Mapping[str, str] | None) -> str:
    if present is None:
        return LEFT
    return ELSEWHERE if name in present else HERE


class ManagersOfOne(ManagersForm):
    """The same within a form that knows further fields: all of it is one value, ``managed_elsewhere``."""

    @property
    def own_fields(self) -> list[forms.BoundField]:
        """Give the fields that say nothing of managers."""
        said = {field.name for pair in self.pairs for field in pair}
        return [field for field in self if field.name not in said]

    def clean(self) -> dict[str, Any]:
        """Give one value in place of the fields."""
        given = super().clean() or self.cleaned_data
        merged = {**self.present, **self.wishes} if not self.errors else {}
        notes = {name: note for name, note in merged.items() if note is not None}
        own = {field.name for field in self.own_fields}
        return {**{name: value for name, value in given.items() if name in own}, "managed_elsewhere": notes}

"""What people fill in about a definition."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.alerts.definitions import writing
from apps.alerts.models import DEFAULT_ALERT_TYPE, AlertDefinition, Severity
from apps.alerts.services.files import LARGEST

STATES = (
    ("", gettext_lazy("All")),
    ("own", gettext_lazy("Own")),
    ("changed", gettext_lazy("Changed")),
    ("off", gettext_lazy("Switched off")),
)
ORDERS = (("seen", gettext_lazy("Most seen")), ("name", gettext_lazy("Name")))


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "spellcheck": "false", "class": "mono"})


class ListForm(forms.Form):
    """Which definitions a list shows; what is not valid is left out, because it stands in the address."""

    q = forms.CharField(required=False, max_length=200)
    severity = forms.ChoiceField(choices=[("", gettext_lazy("Any severity")), *Severity.choices], required=False)
    family = forms.CharField(required=False, max_length=60)
    state = forms.ChoiceField(choices=STATES, required=False)
    order = forms.ChoiceField(choices=ORDERS, required=False)

    @property
    def wanted(self) -> dict[str, str]:
        """Give what is valid."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class DefinitionForm(forms.Form):
    """A whole definition; lists and mappings have a line for each entry."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    severity = forms.ChoiceField(label=gettext_lazy("Severity"), choices=Severity.choices)
    alert_type = forms.CharField(
        label=gettext_lazy("Type"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Empty: the type of the product that sends it, else SNMP Trap."),
    )
    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=2000,
        help_text=gettext_lazy("Places such as %(fan)s are filled by the binding of that name."),
    )
    detail = forms.CharField(
        label=gettext_lazy("Details"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    remedy = forms.CharField(
        label=gettext_lazy("What to do"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    traps = forms.CharField(
        label=gettext_lazy("Traps"),
        required=False,
        widget=_area(3),
        help_text=gettext_lazy("An object identifier a line; or enterprise, generic and specific number."),
    )
    below = forms.BooleanField(label=gettext_lazy("And every trap below"), required=False)
    enterprise = forms.CharField(
        label=gettext_lazy("Only from this enterprise"),
        required=False,
        max_length=400,
        help_text=gettext_lazy("Empty: from every sender."),
    )
    bindings = forms.CharField(
        label=gettext_lazy("Bindings"),
        required=False,
        widget=_area(4),
        help_text=gettext_lazy("name = object identifier; or name = #2 for the second variable."),
    )
    words = forms.CharField(
        label=gettext_lazy("Words for values"),
        required=False,
        widget=_area(3),
        help_text=gettext_lazy("binding value = word, such as: status 3 = failed"),
    )
    severity_binding = forms.CharField(
        label=gettext_lazy("Severity by the value of"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("The name of a binding. Empty: always the severity above."),
    )
    cases = forms.CharField(
        label=gettext_lazy("Values and severities"),
        required=False,
        widget=_area(3),
        help_text=gettext_lazy("3 = critical, or >= 41 = critical; what is not named has the severity above."),
    )
    object = forms.CharField(
        label=gettext_lazy("One problem for each"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("The bindings that tell one part from another. Empty: one problem for the component."),
    )
    clears = forms.CharField(
        label=gettext_lazy("Ends the problems of"),
        required=False,
        widget=_area(2),
        help_text=gettext_lazy("Keys of other definitions, a line each."),
    )
    counts = forms.BooleanField(label=gettext_lazy("Counts in the status of the component"), required=False)
    enabled = forms.BooleanField(label=gettext_lazy("Enabled: its alerts are shown"), required=False)

    wide = frozenset({"title", "detail", "remedy", "traps", "bindings", "words"})  # as wide as the form
    field_order = (
        *("name", "severity", "title", "detail", "remedy", "traps", "below", "enterprise", "bindings", "words"),
        *("severity_binding", "object", "cases", "clears", "alert_type", "counts", "enabled"),
    )

    def __init__(self, *args: Any, raised: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.raised = raised  # by the portal itself, not by a trap
        self.read: dict[str, Any] = {}
        if raised:
            for name in ("traps", "below", "enterprise", "bindings", "words", "severity_binding", "cases", "object"):
                del self.fields[name]

    @staticmethod
    def initial_of(definition: AlertDefinition) -> dict[str, Any]:
        """Give what the form shows of a definition."""
        plain = ("name", "severity", "title", "detail", "remedy", "enterprise", "object", "counts", "enabled")
        return {
            **{name: getattr(definition, name) for name in plain},
            "below": definition.prefix,
            "alert_type": "" if definition.alert_type == DEFAULT_ALERT_TYPE else definition.alert_type,
            "traps": writing.write_lines(definition.oids),
            "bindings": writing.write_pairs(definition.bindings),
            "words": writing.write_words(definition.words),
            "severity_binding": definition.severity_by.get("binding", ""),
            "cases": writing.write_cases(definition.severity_by),
            "clears": writing.write_lines(definition.clears),
        }

    def clean(self) -> dict[str, Any]:
        """Read the lines; what cannot be read stands at its field."""
        given = self.cleaned_data
        self._take("traps", writing.read_traps)
        self._take("bindings", writing.read_pairs)
        self._take("words", writing.read_words)
        self._take("clears", writing.lines)
        self._take("cases", lambda text: writing.read_cases(given.get("severity_binding", ""), text))
        if "traps" in self.fields and "traps" not in self.errors and not self.read.get("traps"):
            self.add_error("traps", _("Name at least one trap."))
        return given

    def _take(self, name: str, read: Callable[[str], Any]) -> None:
        if name not in self.fields:
            return
        try:
            self.read[name] = read(self.cleaned_data.get(name, ""))
        except ValidationError as error:
            self.add_error(name, error)

    @property
    def wanted(self) -> dict[str, Any]:
        """Give the fields of the definition, as the services take them."""
        given = self.cleaned_data
        plain = ("name", "severity", "title", "detail", "remedy", "counts", "enabled", "object")
        fields = {name: given[name] for name in plain if name in given}
        fields["alert_type"] = given["alert_type"] or DEFAULT_ALERT_TYPE
        fields["clears"] = self.read["clears"]
        if not self.raised:
            first, *also = self.read["traps"]
            fields |= {"trap_oid": first, "also": also, "prefix": given["below"]}
            fields["enterprise"] = given["enterprise"].strip(".")
            fields |= {"bindings": self.read["bindings"], "words": self.read["words"]}
            fields["severity_by"] = self.read["cases"]
        return fields


FIELD_OF = {"trap_oid": "traps", "also": "traps", "severity_by": "cases"}
"""Where the form shows what the services say of a field that it has under another name."""


class ImportForm(forms.Form):
    """A file of definitions, or its text."""

    file = forms.FileField(label=gettext_lazy("File"), required=False)
    text = forms.CharField(label=gettext_lazy("Or its text"), required=False, widget=_area(8), strip=False)

    def clean(self) -> dict[str, Any]:
        """Take the file's text, else what was typed."""
        given = self.cleaned_data
        file = given.get("file")
        if file is not None and file.size > LARGEST:
            raise ValidationError(_("The file is too large: at most %(number)s MB.") % {"number": LARGEST // 1_000_000})
        try:
            given["source"] = file.read().decode("utf-8-sig") if file is not None else given.get("text", "")
        except UnicodeDecodeError as error:
            raise ValidationError(_("The file is no text in UTF-8.")) from error
        if not given["source"].strip():
            raise ValidationError(_("Choose a file or enter its text."))
        given["title"] = file.name if file is not None else _("text")
        return given

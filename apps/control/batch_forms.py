"""The form of a remote batch: what is ordered of whom, when, and what guards it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.components.models import Component
from apps.control.models import RemoteBatch
from apps.control.operations import BOOT, POWER
from apps.control.pages.choices import PLANNED, name_of
from apps.control.pages.order import BootForm
from apps.control.services.remote_batches import LONGEST_MAKE_UP, MOST_TARGETS, PLANNING, Plan
from apps.core import scoping
from apps.core.recurrence import DAY, Repeat
from apps.core.rule_forms import RuleForm, offered_rule, shown_rule
from apps.drivers.contract import PowerAction
from apps.groups.forms import GroupChoice

AS_IS = "as-is"  # an operation that a program planned and no button orders
OFF = {"power.shutdown", "power.off"}
ON = {"action": PowerAction.ON.value}


class Ticked(forms.ModelMultipleChoiceField):
    """Components, of those that were named; the others of the fleet are not listed."""

    widget = forms.CheckboxSelectMultiple


class BatchForm(RuleForm):
    """A remote batch."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    order = forms.ChoiceField(label=pgettext_lazy("remote batch", "Operation"))
    group = GroupChoice(label=gettext_lazy("Group"), required=False)
    include_subgroups = forms.BooleanField(label=gettext_lazy("Also the groups below it"), required=False, initial=True)
    components = Ticked(label=gettext_lazy("Components"), queryset=Component.objects.none(), required=False)
    further = forms.CharField(
        label=gettext_lazy("Further components"),
        required=False,
        max_length=4000,
        help_text=gettext_lazy("Their names, with commas between."),
    )
    on_again = forms.TimeField(
        label=gettext_lazy("Switch on again at"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("Plans a second batch, which switches on at this time on the same days."),
    )
    make_up = forms.IntegerField(
        label=gettext_lazy("Make up for missed runs within (minutes)"),
        min_value=0,
        max_value=LONGEST_MAKE_UP,
        initial=0,
        required=False,
        help_text=gettext_lazy("When the portal was not running at the time. 0: never, it is only told."),
    )
    expect = forms.IntegerField(
        label=gettext_lazy("Expected components"),
        min_value=1,
        max_value=10_000,
        required=False,
        help_text=gettext_lazy("It is refused when they are more or fewer."),
    )
    at_most = forms.IntegerField(
        label=gettext_lazy("Components at most"),
        min_value=1,
        max_value=10_000,
        required=False,
        help_text=gettext_lazy("It is refused when they are more, because the group has grown."),
    )

    def __init__(
        self, *args: Any, user: Any, named: Iterable[int] = (), batch: RemoteBatch | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.user, self.batch = user, batch
        self.boot = BootForm(self.data if self.is_bound else None, initial=self.initial)
        self.fields["starts_at"].label = pgettext_lazy("remote batch", "First run")
        GroupChoice.of(self, "group").offer(user, PLANNING)
        order = cast(forms.ChoiceField, self.fields["order"])
        usable = [(name, one) for name, one in PLANNED.items() if scoping.may_somewhere(user, one.permission)]
        order.choices = [(name, one.label) for name, one in usable]
        if batch is not None:
            del self.fields["on_again"]
            if not name_of(batch.operation, batch.arguments):
                order.choices = [(AS_IS, str(batch.title)), *order.choices]
        offered = {*self._sent(), *named}
        ticked = cast(Ticked, self.fields["components"])
        ticked.queryset = Component.objects.visible_to(user).filter(pk__in=offered).order_by("name", "pk")
        self.has_components = bool(offered)

    def _sent(self) -> set[int]:
        sent = self.data.getlist("components") if hasattr(self.data, "getlist") else ()
        return {int(word) for word in sent if word.isascii() and word.isdigit() and len(word) < 19}

    def clean_further(self) -> list[Component]:
        """Find components by their names."""
        words = [word.strip() for word in re.split(r"[,\n]", self.cleaned_data["further"]) if word.strip()]
        visible, found = Component.objects.visible_to(self.user), []
        for word in words[:MOST_TARGETS]:
            rows = list(visible.filter(name=word)[:2]) or list(visible.filter(alias=word)[:2])
            if not rows:
                raise ValidationError(_("There is no component called %(name)s.") % {"name": word[:60]})
            if len(rows) > 1:
                sentence = _("Several components are called %(name)s: begin in the list of components.")
                raise ValidationError(sentence % {"name": word[:60]})
            found.append(rows[0])
        return found

    def clean(self) -> dict[str, Any]:
        """Check what only the whole tells."""
        given = super().clean() or self.cleaned_data
        name = given.get("order")
        if name == "boot" and not self.boot.is_valid():
            self.add_error("order", _("Choose what the machines start from."))
        if given.get("on_again") is not None and name not in OFF:
            self.add_error("on_again", _("Only what is switched off or shut down is switched on again."))
        return given

    @property
    def plan(self) -> Plan:
        """Give what was entered in a valid form."""
        given = self.cleaned_data
        operation, arguments = self._order()
        return Plan(
            given["name"],
            operation,
            arguments,
            self.rule,
            self._components(),
            given["group"],
            given["include_subgroups"],
            given["make_up"] or 0,
            given["expect"],
            given["at_most"],
        )

    @property
    def counterpart(self) -> Plan | None:
        """Give the batch that switches on again, where that was asked for."""
        at = self.cleaned_data.get("on_again")
        if at is None:
            return None
        plan = self.plan
        first = datetime.combine(plan.rule.first.date(), at)
        if plan.rule.repeat is Repeat.ONCE and first <= plan.rule.first:
            first += DAY
        name = _("%(name)s: on again") % {"name": plan.name[:180]}
        return replace(plan, name=name, operation=POWER, arguments=ON, rule=replace(plan.rule, first=first))

    def _order(self) -> tuple[str, dict[str, Any]]:
        name = self.cleaned_data["order"]
        if name == AS_IS and self.batch is not None:
            return self.batch.operation, self.batch.arguments
        choice = PLANNED[name]
        return choice.operation, self.boot.arguments if choice.operation == BOOT else dict(choice.arguments)

    def _components(self) -> Sequence[Component]:
        given = self.cleaned_data
        found = {one.pk: one for one in (*given["components"], *given["further"])}
        return list(found.values())

    def refuse(self, error: ValidationError) -> None:
        """Put what a service refuses beside its field."""
        for name, sentences in error.message_dict.items():
            place = {"nth": "monthly", "operation": "order", "arguments": "order", "components": "further"}
            field = place.get(name, name)
            for sentence in sentences:
                self.add_error(field if field in self.fields else None, sentence)


def shown(batch: RemoteBatch) -> dict[str, Any]:
    """Give what the form shows of a batch."""
    name = name_of(batch.operation, batch.arguments)
    found = {
        **shown_rule(batch.rule),
        "name": batch.name,
        "order": name or AS_IS,
        "group": batch.group_id,
        "include_subgroups": batch.include_subgroups,
        "components": [target.component_id for target in batch.targets.all()],
        "make_up": batch.make_up,
        "expect": batch.expect,
        "at_most": batch.at_most,
    }
    if batch.operation == BOOT:
        uefi = batch.arguments["uefi"]
        found |= {
            "device": batch.arguments["device"],
            "once": "once" if batch.arguments["once"] else "always",
            "firmware": "" if uefi is None else "uefi" if uefi else "legacy",
        }
    return found


def offered(components: Sequence[int]) -> dict[str, Any]:
    """Give what a new form begins with."""
    return {**offered_rule(), "components": list(components)}

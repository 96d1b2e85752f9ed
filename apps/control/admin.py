"""Classic mode over remote batches."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.components.models import Component
from apps.control.models import RemoteBatch, RemoteBatchRun
from apps.control.operations import OPERATIONS
from apps.control.services import remote_batches
from apps.control.services.remote_batches import PLANNING, Plan, plan_of
from apps.core.actors import Actor
from apps.core.classic import ReadOnlyInline, ScopedAdmin, VisibleFilter
from apps.core.forms import row_id
from apps.core.recurrence import Rule

RULE = (
    *("time_zone", "first_day", "begins", "repeat", "every", "weekdays", "month_day", "nth", "last_day"),
    "exceptions",
)
PLANNED = ("name", "operation", "arguments", "group", "include_subgroups", "make_up", "expect", "at_most")


class RemoteBatchForm(forms.ModelForm):
    """A remote batch by its columns; the pages have a form that is easier to fill in."""

    operation = forms.ChoiceField(label=_("operation"), choices=[(word, word) for word in sorted(OPERATIONS)])
    component_ids = forms.CharField(
        label=_("components"), required=False, help_text=_("Their ids, with commas between: 12, 17.")
    )
    user: Any = None

    class Meta:
        model = RemoteBatch
        fields = ("name", "operation", "arguments", "component_ids", "group", "include_subgroups", *RULE, *PLANNED[5:])
        help_texts = {
            "arguments": _('As {"action": "shutdown"}.'),
            "weekdays": _("As [0, 6]: 0 is Monday."),
            "month_day": _("1 to 31, or -1 for the last day."),
            "nth": _("With one weekday: 1 to 5, or -1 for the last one of the month."),
            "exceptions": _('As ["2026-12-24", "2026-12-25"].'),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            ids = self.instance.targets.values_list("component", flat=True)
            self.initial["component_ids"] = ", ".join(map(str, ids))

    def clean_component_ids(self) -> list[Component]:
        """Find components that the user may see."""
        words = [word.strip() for word in self.cleaned_data["component_ids"].split(",") if word.strip()]
        found = []
        for word in words:
            component = Component.objects.visible_to(self.user).filter(pk=row_id(word) or 0).first()
            if component is None:
                raise ValidationError(gettext("There is no component with the id %(id)s.") % {"id": word[:20]})
            found.append(component)
        return found

    def clean(self) -> dict[str, Any]:
        """Check that the columns can be read as a rule, and the arguments as arguments."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not isinstance(given.get("arguments", {}), dict):
            self.add_error("arguments", gettext("Give an object."))
        columns = {name: given[name] for name in RULE if name in given}
        try:
            RemoteBatch(**columns).rule  # noqa: B018 - only whether it can be read
        except (TypeError, ValueError, AttributeError) as error:
            if not self.errors:
                raise ValidationError(gettext("Weekdays are numbers, days are written 2026-12-24.")) from error
        return given


class RunInline(ReadOnlyInline):
    """What became of each time."""

    model = RemoteBatchRun
    fields = readonly_fields = ("planned_at", "state", "by_hand", "actor_name", "message")
    ordering = ("-planned_at",)
    max_num = 0


@admin.register(RemoteBatch)
class RemoteBatchAdmin(ScopedAdmin):
    """Operations that are ordered by the clock."""

    form = RemoteBatchForm
    change_word = PLANNING
    list_display = ("name", "operation", "group", "plan", "paused", "next_at", "owner_name")
    list_filter = ("operation", "paused", "repeat", ("group", VisibleFilter))
    list_select_related = ("group",)
    search_fields = ("name",)
    inlines = (RunInline,)

    @admin.display(description=_("when"))
    def plan(self, batch: RemoteBatch) -> str:
        """Give the rule in words."""
        return batch.in_words

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Have the form know whose components it may find."""
        found = super().get_form(request, *args, **kwargs)
        return type("RemoteBatchForm", (found,), {"user": request.user})

    def create(self, sent: Mapping[str, Any], actor: Actor) -> RemoteBatch:
        """Plan a batch."""
        plan = Plan(
            **{name: sent[name] for name in PLANNED}, components=sent["component_ids"], rule=_rule(RemoteBatch(), sent)
        )
        return remote_batches.create(plan, actor)

    def update(self, found: RemoteBatch, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change a batch; it runs on behalf of the actor from now on."""
        plan = replace(
            plan_of(found), **{name: changed[name] for name in PLANNED if name in changed}, rule=_rule(found, changed)
        )
        if "component_ids" in changed:
            plan = replace(plan, components=changed["component_ids"])
        remote_batches.change(found, plan, actor)

    def remove(self, found: RemoteBatch, actor: Actor) -> None:
        """Forget a batch."""
        remote_batches.remove(found, actor)


def _rule(batch: RemoteBatch, changed: Mapping[str, Any]) -> Rule:
    columns = {name: changed.get(name, getattr(batch, name)) for name in RULE}
    return RemoteBatch(**columns).rule

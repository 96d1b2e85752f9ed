"""Classic mode over the core: options, jobs, the audit."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat import models as clock

from apps.core import audit_words, jobs, options
from apps.core.actors import Actor
from apps.core.classic import ReadOnlyAdmin, ReadOnlyInline, ScopedAdmin
from apps.core.models import AuditEntry, Job, JobStep, OptionValue
from apps.core.option_forms import OptionForm
from apps.core.options import Option

# What the clock starts is said by the settings; a change here would not last.
admin.site.unregister(
    [clock.PeriodicTask, clock.IntervalSchedule, clock.CrontabSchedule, clock.SolarSchedule, clock.ClockedSchedule]
)


class StepInline(ReadOnlyInline):
    """The steps of a job; they are made by jobs and ended by workers."""

    model = JobStep
    fields = readonly_fields = ("target", "state", "stage", "code", "message", "remedy", "finished_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Give the steps that the user may see; all those of his own jobs."""
        rows = super().get_queryset(request)
        visible = JobStep.objects.visible_to(request.user).values("pk")
        return rows.filter(models.Q(job__created_by=request.user.pk) | models.Q(pk__in=visible))


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs and how each target ended."""

    list_display = ("id", "title", "state", "total", "finished", "failed", "created_by_name", "created_at")
    list_filter = ("state", "kind")
    search_fields = ("title", "created_by_name")
    exclude = ("created_by", "arguments")
    readonly_fields = ("touched",)
    inlines = (StepInline,)

    @admin.display(description=gettext_lazy("What it touched"))
    def touched(self, job: Job) -> str:
        """Name what it touched besides its targets."""
        return "\n".join(str(each) for each in job.consequences) or "–"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """List jobs that count what the user may see."""
        listed = super().get_changelist_instance(request)
        listed.result_list = jobs.as_seen(listed.result_list, request.user)
        return listed

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Give a job that counts what the user may see."""
        found = super().get_object(request, object_id, from_field)
        return next(iter(jobs.as_seen([found], request.user))) if found is not None else None

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Everybody has jobs of his own."""
        return bool(request.user.is_authenticated)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show the jobs that the user may see."""
        if obj is None:
            return bool(request.user.is_authenticated)
        return Job.objects.visible_to(request.user).filter(pk=obj.pk).exists()


class FamilyFilter(admin.SimpleListFilter):
    """The kind of an act; looking for all that occur would read the whole audit."""

    title = gettext_lazy("kind of action")
    parameter_name = "family"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer those that have words."""
        return list(audit_words.family_words().items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was chosen."""
        return queryset.filter(family=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditAdmin(ReadOnlyAdmin):
    """Who did what."""

    view_word = "audit"
    list_display = ("at", "actor_name", "address", "act", "object_name", "outcome")
    exclude = ("family", "form")
    list_filter = ("outcome", "actor_kind", FamilyFilter)
    search_fields = ("actor_name", "action", "object_name")

    @admin.display(description=gettext_lazy("action"), ordering="action")
    def act(self, entry: AuditEntry) -> str:
        """Name the act."""
        return audit_words.act(entry.action)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Also filter by the object that an act was about."""
        return lookup in {"object_type", "object_id"} or super().lookup_allowed(lookup, value, request)


@admin.register(OptionValue)
class OptionAdmin(ScopedAdmin):
    """Every option that there is, with its value, range and default."""

    view_word = "settings"
    change_word = "settings"
    can_add = can_remove = False

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """List the options."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = options.stored()
        options.note_reading(options.all_options(), Actor.of(request))
        sections = {
            label: [
                (one, options.shown(value := options.get(one.name)), rows.get(one.name), one.warning(value))
                for one in declared
            ]
            for label, declared in options.sections().items()
        }
        return self._page(request, "change_list.html", {"title": _("Options"), "sections": sections})

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Show, set and reset one option."""
        option, actor = self._option(request, object_id), Actor.of(request)
        options.note_reading([option], actor)
        posted = request.POST if request.method == "POST" else None
        form = OptionForm(option, posted)
        if posted is not None and (form.reset(actor) if "_reset" in posted else form.save(actor)):
            self.message_user(request, _("The option was set."), messages.SUCCESS)
            if warning := option.warning(options.get(option.name)):
                self.message_user(request, warning, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:core_optionvalue_changelist"))
        context = {
            "title": option.label,
            "option": option,
            "stored": options.stored().get(option.name),
            "default": options.shown(option.default),
            "form": form,
            "warning": option.warning(options.get(option.name)),
        }
        return self._page(request, "change_form.html", context, status=400 if form.errors else 200)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show what the audit knows of an option, also of one that has its default."""
        return self._history(self._option(request, object_id).name)

    def _option(self, request: HttpRequest, name: str | None) -> Option:
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            return options.find(unquote(name or ""))
        except KeyError as error:
            raise Http404 from error

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        frame = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/core/optionvalue/{name}", frame, status=status)

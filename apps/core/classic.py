"""What every page of classic mode is made of.

A page of classic mode shows what ``visible_to`` shows, allows what a permission word allows, and changes rows through
the services alone; so what is done there is checked and audited as everywhere else.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import ProtectedError, QuerySet
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.core import scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.forms import UNSEEN
from apps.core.writes import turn

SECRETS = frozenset({"password", "digest", "secret", "bind_password", "session_key", "session_data"})
SIGNS_OF_SEARCH = "^=@"  # before the name of a column that is searched in


def visible_rows(model: type[models.Model], user: Any, word: str = "view") -> QuerySet[Any]:
    """Give the rows of a model that a user may see; a model without a scope of its own gives all."""
    rows: QuerySet[Any] = model._default_manager.all()
    visible = getattr(rows, "visible_to", None)
    return visible(user, word) if visible is not None else rows


class DiscreetChoice(ModelChoiceField):  # type: ignore[type-arg]
    """A choice of a related row; the present one, when the user may not see it, stays without its name."""

    unseen: int | None = None

    def label_from_instance(self, obj: models.Model) -> str:
        """Name a row."""
        return str(UNSEEN) if obj.pk == self.unseen else super().label_from_instance(obj)


class VisibleFilter(admin.RelatedFieldListFilter):
    """A filter by a related row that offers only what the user may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        """Give the choices."""
        rows = visible_rows(field.remote_field.model, request.user)
        return [(str(row.pk), str(row)) for row in rows]


class ScopedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The base of every page of classic mode; a subclass gives ``create``, ``update`` and ``remove`` by services.

    ``view_word`` opens it, ``change_word`` lets change it; without one it is only read. Rows without a group need the
    words over the whole portal, unless ``for_everybody`` says that the rows themselves know whose they are.
    """

    view_word = "view"
    change_word: ClassVar[str | None] = None
    for_everybody = False
    discreet: ClassVar[tuple[str, ...]] = ()  # columns of related rows that may be of a group that is not the user's
    view_on_site = False
    can_add = True
    can_remove = True

    @property
    def is_scoped(self) -> bool:
        """Say whether the rows belong to groups or to users."""
        return hasattr(self.model._default_manager.all(), "visible_to")

    def create(self, sent: Mapping[str, Any], actor: Actor) -> models.Model:
        """Make a row by a service."""
        raise NotImplementedError

    def update(self, found: Any, changed: Mapping[str, Any], actor: Actor) -> None:
        """Change what was changed in the form by a service."""
        raise NotImplementedError

    def remove(self, found: Any, actor: Actor) -> None:
        """Remove a row by a service."""
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Give what the user may see."""
        rows = super().get_queryset(request)
        if self.is_scoped:
            return cast(scoping.Scoped, rows).visible_to(request.user)
        return rows

    def _may(self, request: HttpRequest, word: str | None, found: Any = None) -> bool:
        if word is None:
            return False
        if self.for_everybody:
            return bool(request.user.is_authenticated)
        if not self.is_scoped:
            return scoping.may(request.user, word)
        if found is None:
            return scoping.may_somewhere(request.user, word)
        return visible_rows(self.model, request.user, word).filter(pk=found.pk).exists()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the app to whoever may open this."""
        return self._may(request, self.view_word)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those see who hold the word."""
        return self._may(request, self.view_word, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those add who hold the word for changes."""
        return self.can_add and self._may(request, self.change_word)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those change who hold the word for changes there."""
        return self._may(request, self.change_word, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those remove who hold the word for changes there."""
        return self.can_remove and self._may(request, self.change_word, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only rows that the user may see, and as the place of this one only where he may do this."""
        is_place = db_field.name in {"group", "component"}
        word = self.change_word if is_place and self.change_word else "view"
        offered = kwargs.setdefault("queryset", visible_rows(db_field.remote_field.model, request.user, word))
        unseen = self._unseen(request, db_field, offered)
        if unseen is None:
            return super().formfield_for_foreignkey(db_field, request, **kwargs)
        all_rows = db_field.remote_field.model._default_manager
        kwargs["queryset"] = all_rows.filter(models.Q(pk=unseen) | models.Q(pk__in=offered.order_by().values("pk")))
        field: Any = super().formfield_for_foreignkey(db_field, request, form_class=DiscreetChoice, **kwargs)
        field.unseen = unseen
        return field

    def _unseen(self, request: HttpRequest, db_field: Any, offered: QuerySet[Any]) -> Any:
        """Give what the row in the form has there, when it is not offered: it stays unless the user changes it."""
        match = request.resolver_match
        row_id = match.kwargs.get("object_id") if match is not None else None
        found = self.get_object(request, unquote(row_id)) if row_id else None
        present = getattr(found, db_field.attname, None)
        return present if present is not None and not offered.filter(pk=present).exists() else None

    def get_list_display(self, request: HttpRequest) -> Any:
        """Name in lists no related row that the user may not see."""
        return [self._discreet(name, request) for name in super().get_list_display(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nor on a page that is only read."""
        fields = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fields
        return [self._discreet(name, request) for name in fields]

    def _discreet(self, name: Any, request: HttpRequest) -> Any:
        if name not in self.discreet:
            return name

        @admin.display(description=self.opts.get_field(name).verbose_name)  # type: ignore[union-attr]
        def shown(row: Any) -> Any:
            other = getattr(row, name)
            is_seen = other is None or scoping.may(request.user, "view", other.group_id)
            return other if is_seen else UNSEEN

        return shown

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let a list be filtered only by what its pages show: guessing a column letter by letter is reading it."""
        column = lookup.partition("__")[0]
        own = self.opts.pk.name
        if (own if column == "pk" else column) in SECRETS:
            return False
        return column in {"pk", own, *self.shown_columns(request)} and super().lookup_allowed(lookup, value, request)

    def shown_columns(self, request: HttpRequest) -> set[str]:
        """Name what the list and the page of a row show, and what is searched in."""
        columns = [*flatten_fieldsets(self.get_fieldsets(request)), *self.get_list_display(request)]
        found = {name for name in columns if isinstance(name, str)}
        found |= {name.lstrip(SIGNS_OF_SEARCH).partition("__")[0] for name in self.get_search_fields(request)}
        for one in self.get_list_filter(request):
            named = one[0] if isinstance(one, tuple | list) else one
            name = named if isinstance(named, str) else getattr(named, "parameter_name", "")
            found.add(name.partition("__")[0])
        return found

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the rows themselves; what goes with them knows the service, and it may not be the user's to read."""
        rows = list(objs)
        lacks = not all(self.has_delete_permission(request, row) for row in rows)
        counts = {self.opts.verbose_name_plural: len(rows)}
        return [str(row) for row in rows], counts, {self.opts.verbose_name} if lacks else set(), []

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show or save one row; what a service refuses is said above the form."""
        if (pk := kwargs.get("object_id") or next(iter(args), None)) is not None:
            self._require(request, pk)
        if request.method != "POST":
            return super().changeform_view(request, *args, **kwargs)
        return self._guarded(request, lambda: super(ScopedAdmin, self).changeform_view(request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Ask for and do a removal."""
        self._require(request, kwargs.get("object_id") or args[0])
        if request.method != "POST":
            return super().delete_view(request, *args, **kwargs)
        return self._guarded(request, lambda: super(ScopedAdmin, self).delete_view(request, *args, **kwargs))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """List the rows, and remove the chosen ones."""
        if request.method != "POST":
            return super().changelist_view(request, *args, **kwargs)
        return self._guarded(request, lambda: super(ScopedAdmin, self).changelist_view(request, *args, **kwargs))

    def _require(self, request: HttpRequest, object_id: str) -> Any:
        """Give a row; what somebody may not see does not exist, whatever he may do elsewhere."""
        found = self.get_object(request, unquote(object_id))
        if found is None:
            raise Http404
        return found

    def _guarded(self, request: HttpRequest, view: Any) -> HttpResponse:
        try:
            with turn():
                answer: HttpResponse = view()
                return answer
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        except (Conflict, ProtectedError) as error:
            text = str(error) if isinstance(error, Conflict) else _("This is still used elsewhere.")
            self.message_user(request, text, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Call the service with what the form holds."""
        actor = Actor.of(request)
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            self.update(self.model._default_manager.get(pk=obj.pk), changed, actor)
        else:
            obj.__dict__.update(self.create(form.cleaned_data, actor).__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing more: services save what belongs to a row."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Call the service."""
        self.remove(obj, Actor.of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Call the service for each row, after looking at each."""
        rows = list(queryset)
        if not all(self.has_delete_permission(request, row) for row in rows):
            raise PermissionDenied
        for row in rows:
            self.remove(row, Actor.of(request))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> list[Any]:
        """Say nothing: what was changed stands in the audit."""
        return []

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Leave it to the audit."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Leave it to the audit."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Leave it to the audit."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show what the audit knows of a row."""
        found = self._require(request, object_id)
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        return self._history(object_id)

    def _history(self, object_id: str) -> HttpResponse:
        about = {"object_type": self.model._meta.label_lower, "object_id": object_id}
        return HttpResponseRedirect(f"{reverse('admin:core_auditentry_changelist')}?{urlencode(about)}")


class FirstPages(Paginator):  # type: ignore[type-arg]
    """Pages of the first rows of a list: counting a million takes longer than anybody waits."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        """Count up to a number."""
        rows = cast(QuerySet[Any], self.object_list)
        return rows.order_by()[: self.MOST].count()

    @property
    def has_stopped(self) -> bool:
        """Say whether there may be more."""
        return self.count == self.MOST


class ReadOnlyAdmin(ScopedAdmin):
    """A page of classic mode on which nothing is changed; of what grows without end it has the first pages."""

    can_add = can_remove = False
    change_word = None
    paginator = FirstPages
    show_full_result_count = False


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows that are shown on the page of the row that they belong to, and changed elsewhere."""

    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leave it to the row that they belong to."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False

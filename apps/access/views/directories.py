"""The pages of directories: their list and order, one with what its groups are granted, and the test."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.access.directory_forms import DirectoryForm, MappingForm, TestForm
from apps.access.models import Grant
from apps.access.services import roles
from apps.access.views import manages_access
from apps.accounts.models import Directory, DirectoryGroup, DirectoryKind
from apps.accounts.services.directories import configuring, mapping, testing
from apps.core.actors import Actor
from apps.core.forms import attempt
from apps.core.writes import turn
from apps.groups.models import Group

SECRETS = ("bind_password", "test_password")


@manages_access
def directory_list(request: HttpRequest) -> HttpResponse:
    """Show the directories in the order in which they are asked."""
    return render(request, "access/directory_list.html", {"tab": "directories", "directories": _rows()})


def _rows() -> list[Directory]:
    return list(Directory.objects.annotate(counted_users=Count("users")).order_by("position", "name"))


@manages_access
@never_cache
@sensitive_post_parameters(*SECRETS)
@require_http_methods(["GET", "HEAD", "POST"])
def directory_new(request: HttpRequest) -> HttpResponse:
    """Make a directory; ``?kind=`` says which kind's usual values the form begins with."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in DirectoryKind.values else DirectoryKind.LDAP.value
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = DirectoryForm(*sent, initial=DirectoryForm.usual(kind))
    actor = Actor.of(request)
    if request.method == "POST" and form.is_valid():
        made: list[Directory] = []
        if attempt(form, lambda: made.append(configuring.create(form.entered(), actor))):
            messages.success(request, _("The directory was added. Now say which of its groups hold which role."))
            return redirect("access:directory", made[0].pk)
    context = {
        "tab": "directories",
        "form": form,
        "testing": TestForm(),
        "kinds": [(value, label, value == kind) for value, label in DirectoryKind.choices],
        "directories": _rows(),
    }
    return render(request, "access/directory.html", context, status=400 if form.errors else 200)


@manages_access
@never_cache
@sensitive_post_parameters(*SECRETS)
@require_http_methods(["GET", "HEAD", "POST"])
def directory(request: HttpRequest, pk: int) -> HttpResponse:
    """Show and change a directory, and grant its groups roles."""
    found = get_object_or_404(Directory, pk=pk)
    asked = request.POST.get("what", "directory") if request.method == "POST" else ""
    sent = (request.POST, request.FILES) if asked == "directory" else (None, None)
    form = DirectoryForm(*sent, directory=found, initial=DirectoryForm.initial_of(found))
    granting = MappingForm(request.user, request.POST if asked == "grant" else None, prefix="grant")
    actor = Actor.of(request)
    if (
        asked == "directory"
        and form.is_valid()
        and attempt(form, lambda: configuring.change(found, form.entered(), actor))
    ):
        messages.success(request, _("The directory was changed."))
        return redirect("access:directory", pk)
    if asked == "grant" and granting.is_valid() and attempt(granting, lambda: _map(found, granting, actor), "dn"):
        messages.success(request, _("The role was granted."))
        return redirect("access:directory", pk)
    context = {
        "tab": "directories",
        "directory": Directory.objects.get(pk=pk),
        "form": form,
        "testing": TestForm(),
        "granting": granting,
        "mapped": _mapped(found),
        "directories": _rows(),
    }
    return render(request, "access/directory.html", context, status=400 if asked else 200)


def _mapped(found: Directory) -> list[tuple[DirectoryGroup, list[Grant]]]:
    """Give the known groups of a directory with what each holds."""
    rows = found.groups.annotate(counted_members=Count("members")).order_by("name", "pk")
    rows = rows.prefetch_related("grants__role", "grants__group")
    return [(row, list(row.grants.all())) for row in rows]


def _map(found: Directory, form: MappingForm, actor: Actor) -> None:
    """Find the group in the directory, then make it known and grant it the role."""
    seen = mapping.find(found, form.cleaned_data["dn"])
    with turn():
        row = mapping.obtain(found, seen, actor)
        roles.grant(row, form.cleaned_data["role"], Group.objects.get(pk=form.cleaned_data["group"]), actor)


@manages_access
@never_cache
@sensitive_post_parameters(*SECRETS)
@require_POST
def directory_test(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Ask a directory as it stands in the form, kept or not, about a user; nothing is kept, nobody is signed in."""
    found = get_object_or_404(Directory, pk=pk) if pk is not None else None
    form = DirectoryForm(request.POST, request.FILES, directory=found)
    whom = TestForm(request.POST)
    context: dict[str, Any] = {"form": form, "whom": whom}
    if form.is_valid() and whom.is_valid():
        drafts: list[Directory] = []
        if attempt(form, lambda: drafts.append(configuring.draft(form.entered(), found))):
            name, password = whom.cleaned_data["test_username"], whom.cleaned_data["test_password"] or None
            report = testing.test(drafts[0], name, password)
            testing.note(drafts[0], name, report, Actor.of(request))
            context["report"] = report
    context["faults"] = [
        (one.fields[name].label if name in one.fields else "", sentence)
        for one in (form, whom)
        for name, sentences in one.errors.items()
        for sentence in sentences
    ]
    return render(request, "access/_directory_test.html", context)


@manages_access
@require_POST
def directory_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a directory asked one place earlier or later."""
    found = get_object_or_404(Directory, pk=pk)
    order = [row.pk for row in Directory.objects.all()]
    step = -1 if request.POST.get("to") == "up" else 1
    try:
        configuring.place(found, order.index(pk) + 1 + step, Actor.of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("access:directories")


@manages_access
@require_POST
def directory_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a directory with the accounts that came from it."""
    found = get_object_or_404(Directory, pk=pk)
    try:
        configuring.remove(found, Actor.of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("access:directory", pk)
    messages.success(request, _("%(name)s was removed.") % {"name": found.name})
    return redirect("access:directories")


@manages_access
@require_POST
def directory_group_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a group of a directory with what it was granted."""
    found = get_object_or_404(DirectoryGroup.objects.select_related("directory"), pk=pk)
    try:
        mapping.remove(found, Actor.of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The group was removed."))
    return redirect("access:directory", found.directory_id)

"""The pages of roles."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.access.forms import RoleForm, WhereaboutsForm
from apps.access.models import Role
from apps.access.services import roles, whereabouts
from apps.access.views import manages_access
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.forms import attempt, row_id

PER_PAGE = 50


@manages_access
@require_safe
def role_list(request: HttpRequest) -> HttpResponse:
    """Show what each role may do."""
    found = list(Role.objects.annotate(holders=Count("grants")).order_by("-built_in", "name"))
    sections = [
        (section.label, [(label, [word in role.permissions for role in found]) for word, label in words])
        for section in scoping.SECTIONS
        if (words := section.permissions.items())
    ]
    return render(request, "access/role_list.html", {"tab": "roles", "roles": found, "sections": sections})


@manages_access
@require_http_methods(["GET", "HEAD", "POST"])
def role_new(request: HttpRequest) -> HttpResponse:
    """Make a role, from nothing or as a copy of another one."""
    form = RoleForm(request.POST if request.method == "POST" else None, initial=_copied(request.GET.get("copy", "")))
    actor = Actor.of(request)
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        if attempt(form, lambda: roles.create_role(sent["name"], sent["permissions"], actor)):
            messages.success(request, _("The role was made."))
            return redirect("access:roles")
    return render(request, "access/role.html", {"tab": "roles", "form": form}, status=400 if form.errors else 200)


def _copied(raw: str) -> dict[str, Any]:
    found = Role.objects.filter(pk=row_id(raw) or 0).first()
    if found is None:
        return {}
    name = _("Copy of %(name)s") % {"name": found.label}
    return {"name": name[: Role._meta.get_field("name").max_length], "permissions": found.permissions}


@manages_access
@require_http_methods(["GET", "HEAD", "POST"])
def role(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a role and who holds it; change one of one's own making."""
    found = get_object_or_404(Role, pk=pk)
    initial = {"name": found.name, "permissions": found.permissions}
    posted = request.POST if request.method == "POST" else None
    asks_where = request.POST.get("what") == "where"
    form = RoleForm(None if asks_where else posted, initial=initial)
    where = WhereaboutsForm(found, posted if asks_where else None)
    actor = Actor.of(request)
    if where.is_valid():
        networks = where.cleaned_data["networks"]
        if attempt(where, lambda: whereabouts.restrict(found, networks, actor)):
            messages.success(request, _("It is set from where holders of this role may sign in."))
            return redirect("access:role", pk)
    if form.is_valid():
        sent = form.cleaned_data
        if attempt(form, lambda: roles.change_role(found, actor, name=sent["name"], permissions=sent["permissions"])):
            concerned = roles.users_with(found).count()
            text = ngettext(
                "The role was changed for %(count)s user.", "The role was changed for %(count)s users.", concerned
            )
            messages.success(request, text % {"count": concerned})
            return redirect("access:roles")
    found.refresh_from_db()
    grants = Paginator(found.grants.complete(), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "tab": "roles",
        "form": form,
        "role": found,
        "page": grants,
        "concerned": roles.users_with(found).count(),
        "where": where,
    }
    return render(request, "access/role.html", context, status=400 if form.errors or where.errors else 200)


@manages_access
@require_POST
def role_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a role that nobody holds."""
    found = get_object_or_404(Role, pk=pk)
    try:
        roles.remove_role(found, Actor.of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except ProtectedError:
        messages.error(request, _("This role is granted to somebody; take it back first."))
    else:
        messages.success(request, _("The role was removed."))
    return redirect("access:roles")

"""The pages of roles."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, ProtectedError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.access.forms import RoleForm
from apps.access.models import Role
from apps.access.services import roles
from apps.access.views import manages_access
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.forms import attempt


@manages_access
def role_list(request: HttpRequest) -> HttpResponse:
    """Show what each role may do."""
    found = list(Role.objects.annotate(holders=Count("grants")).order_by("-built_in", "name"))
    rows = [(label, [word in role.permissions for role in found]) for word, label in scoping.PERMISSIONS.items()]
    return render(request, "access/role_list.html", {"tab": "roles", "roles": found, "rows": rows})


@manages_access
@require_http_methods(["GET", "HEAD", "POST"])
def role_new(request: HttpRequest) -> HttpResponse:
    """Make a role."""
    form = RoleForm(request.POST if request.method == "POST" else None)
    actor = Actor.of(request)
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        if attempt(form, lambda: roles.create_role(sent["name"], sent["permissions"], actor)):
            messages.success(request, _("The role was made."))
            return redirect("access:roles")
    return render(request, "access/role.html", {"tab": "roles", "form": form}, status=400 if form.errors else 200)


@manages_access
@require_http_methods(["GET", "HEAD", "POST"])
def role(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a role of one's own making."""
    found = get_object_or_404(Role, pk=pk)
    if found.built_in:
        raise Http404
    initial = {"name": found.name, "permissions": found.permissions}
    form = RoleForm(request.POST if request.method == "POST" else None, initial=initial)
    actor = Actor.of(request)
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        if attempt(form, lambda: roles.change_role(found, actor, name=sent["name"], permissions=sent["permissions"])):
            messages.success(request, _("The role was changed."))
            return redirect("access:roles")
    context = {"tab": "roles", "form": form, "role": get_object_or_404(Role, pk=pk)}
    return render(request, "access/role.html", context, status=400 if form.errors else 200)


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

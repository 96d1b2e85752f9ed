"""Which roles need a second factor, and the way out for a user who lost his."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.access.forms import NeedForm
from apps.access.models import Role
from apps.access.services import second_factor
from apps.access.views import manages_access
from apps.accounts.models import User
from apps.accounts.services import second_factor as factors
from apps.core.actors import Actor


@manages_access
@require_http_methods(["GET", "HEAD", "POST"])
def role(request: HttpRequest, pk: int) -> HttpResponse:
    """Say whether a role needs a second factor, also one that comes with the portal."""
    found = get_object_or_404(Role, pk=pk)
    sent = request.POST if request.method == "POST" else None
    form = NeedForm(sent, initial={"needs_second_factor": found.needs_second_factor})
    if request.method == "POST" and form.is_valid():
        second_factor.require(found, form.cleaned_data["needs_second_factor"], Actor.of(request))
        messages.success(request, _("The role was changed."))
        return redirect("access:roles")
    context = {"tab": "roles", "form": form, "role": found, "lacking": second_factor.lacking(found)}
    return render(request, "access/role_second_factor.html", context)


@manages_access
@require_POST
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the second factor of a user away, who lost it."""
    found = get_object_or_404(User, pk=pk)
    try:
        factors.reset(found, Actor.of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The second factor of %(name)s was reset.") % {"name": found.username})
    return redirect("access:user", pk)

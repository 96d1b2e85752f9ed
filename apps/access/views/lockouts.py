"""The page of who is locked out after failed sign-ins, and the buttons that let him sign in again."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.access.views import manages_access
from apps.accounts.models import LockedThing, LockOut, User
from apps.accounts.services import lockouts
from apps.accounts.services.sign_in_names import folded
from apps.core.actors import Actor

PER_PAGE = 50


@manages_access
def lockout_list(request: HttpRequest) -> HttpResponse:
    """Show what failed lately, what is locked first."""
    is_locked = When(locked_until__gt=timezone.now(), then=Value(1))
    found = LockOut.objects.annotate(lock=Case(is_locked, default=Value(0), output_field=IntegerField()))
    words = request.GET.get("q", "").replace("\x00", "").strip()
    if words:
        found = found.filter(name__icontains=folded(words))
    page = Paginator(found.order_by("-lock", "-last_failed_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    names = [row.name for row in page.object_list if row.kind == LockedThing.ACCOUNT]
    known = {folded(user.username): user for user in _users(names)}
    rows = [(row, known.get(row.name) if row.kind == LockedThing.ACCOUNT else None) for row in page.object_list]
    context = {"tab": "lockouts", "page": page, "rows": rows, "q": words}
    return render(request, "access/lockout_list.html", context)


@manages_access
@require_POST
def lockout_release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let an account or address sign in again."""
    found = get_object_or_404(LockOut, pk=pk)
    lockouts.release_row(found, Actor.of(request))
    messages.success(request, _("%(name)s may sign in again.") % {"name": found.name})
    return redirect("access:lockouts")


@manages_access
@require_POST
def user_release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a user sign in again, in whatever browser."""
    found = get_object_or_404(User, pk=pk)
    lockouts.release(actor=Actor.of(request), user=found)
    messages.success(request, _("%(name)s may sign in again.") % {"name": found.username})
    return redirect("access:user", pk)


def _users(names: list[str]) -> QuerySet[User]:
    return User.objects.annotate(small=Lower("username")).filter(small__in=names)

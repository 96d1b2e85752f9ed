"""The page of one component."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from apps.components.models import Component


@require_safe
def component(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one component."""
    found = get_object_or_404(Component.objects.visible_to(request.user), pk=pk)
    return render(request, "components/component.html", {"component": found})

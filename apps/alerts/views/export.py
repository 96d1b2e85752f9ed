"""The list of alerts as a file."""

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from apps.alerts import export
from apps.alerts.forms import ListForm
from apps.alerts.listing import alerts as alert_listing
from apps.alerts.listing import narrowing
from apps.core.actors import Actor
from apps.groups.models import Group


@require_safe
def alerts(request: HttpRequest) -> StreamingHttpResponse:
    """Give the alerts that the list shows with these filters, all of its pages."""
    kind = request.GET.get("format", export.CSV)
    if kind not in export.KINDS:
        raise Http404
    wanted, tree = ListForm(request.GET).wanted, Group.objects.visible_to(request.user).tree()
    step = alert_listing.step(request.user, wanted, tree, whole=True)
    asked = request.GET.copy()
    for name in ("format", *narrowing.PLACES):
        asked.pop(name, None)
    return export.answer(request, step, kind, Actor.of(request), asked.urlencode())

"""The page of the addresses that may connect."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.access.forms import AddressForm
from apps.access.models import AllowedAddress
from apps.access.services import addresses
from apps.access.views import manages_access
from apps.core.actors import Actor
from apps.core.forms import attempt


@manages_access
@require_http_methods(["GET", "HEAD", "POST"])
def address_list(request: HttpRequest) -> HttpResponse:
    """Show the addresses, and add one."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    actor = Actor.of(request)
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        if attempt(form, lambda: addresses.allow(sent["network"], sent["note"], actor)):
            messages.success(request, _("The address may connect now."))
            return redirect("access:addresses")
    context = {
        "tab": "addresses",
        "form": form,
        "addresses": AllowedAddress.objects.all(),
        "own": request.META.get("REMOTE_ADDR", ""),
    }
    return render(request, "access/address_list.html", context, status=400 if form.errors else 200)


@manages_access
@require_POST
def address_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop an address from connecting."""
    found = get_object_or_404(AllowedAddress, pk=pk)
    try:
        addresses.disallow(found, Actor.of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(address)s may not connect any more.") % {"address": found.network})
    return redirect("access:addresses")

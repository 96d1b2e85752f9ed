"""The pages of HTTPS: what is served, how it is made or imported, and how browsers are told to trust it."""

import functools
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core import options, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.forms import attempt
from apps.system.models import Certificate
from apps.system.tls import checking, services, state
from apps.system.tls.forms import ImportForm, OptionsForm, WishForm
from apps.system.tls.importing import kind_label
from apps.system.tls.material import DEFAULT_KIND, colons
from apps.system.tls.words import HTTPS

View = Callable[..., HttpResponse]
PEM_TYPE, DER_TYPE = "application/x-pem-file", "application/x-x509-ca-cert"


def for_administrators(view: View) -> View:
    """Answer only those who may set the portal."""

    @functools.wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not scoping.may(request.user, "settings"):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return checked


@for_administrators
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Show the certificate, its authority and the options, and set the options."""
    form = OptionsForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and form.save(Actor.of(request)):
        messages.success(request, _("The options were set. They hold for new connections within five seconds."))
        return redirect("tls:page")
    now = timezone.now()
    row, authority = services.described().values()
    context = {
        "form": form,
        "https": options.get(HTTPS),
        "findings": [each for each in checking.findings() if each.grade != checking.WELL],
        "trouble": state.now().trouble,
        "certificate": _shown(row),
        "days": row.days_left(now) if row else None,
        "authority": _shown(authority),
        "pending": services.pending(),
    }
    return render(request, "tls/page.html", context, status=400 if form.errors else 200)


def _shown(row: Certificate | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"row": row, "fingerprint": colons(row.fingerprint), "key": kind_label(row.key_kind)}


@for_administrators
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Ask what a certificate is to be like; make it, or a request for another authority."""
    form = WishForm(request.POST if request.method == "POST" else None, initial=_usual())
    actor = Actor.of(request)
    if request.method == "POST" and form.is_valid():
        if "request" in request.POST:
            if attempt(form, lambda: services.request(form.wish, actor)):
                messages.success(
                    request, _("The request is ready to be fetched; its key waits here for the certificate.")
                )
                return redirect("tls:page")
        elif attempt(form, lambda: _create(form, actor)):
            messages.success(request, _("The certificate was made. New connections see it within five seconds."))
            return redirect("tls:page")
    context = {"form": form, "authority": services.described()["authority"]}
    return render(request, "tls/create.html", context, status=400 if form.errors else 200)


def _create(form: WishForm, actor: Actor) -> None:
    try:
        services.create(form.wish, actor, new_authority=form.cleaned_data["new_authority"])
    except Conflict as error:
        raise ValidationError(str(error)) from error


def _usual() -> dict[str, Any]:
    found = services.described()["certificate"]
    if found is not None:
        kind = found.key_kind if found.own else DEFAULT_KIND
        days = found.days if found.own else services.USUAL_DAYS
        return {"common_name": found.subject, "names": "\n".join(found.names), "key": kind, "days": days}
    wish = services.usual_wish()
    return {"common_name": wish.common_name, "names": "\n".join(wish.names), "key": wish.kind, "days": wish.days}


@for_administrators
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def take(request: HttpRequest) -> HttpResponse:
    """Import a certificate that another authority signed."""
    posted = request.method == "POST"
    form = ImportForm(request.POST, request.FILES) if posted else ImportForm()
    if posted and form.is_valid():
        warnings: list[str] = []

        def import_it() -> None:
            sent = form.cleaned_data
            warnings.extend(services.take(sent["data"], sent["password"], Actor.of(request))[1])

        if attempt(form, import_it):
            messages.success(request, _("The certificate was imported. New connections see it within five seconds."))
            for warning in warnings:
                messages.warning(request, warning)
            return redirect("tls:page")
    context = {"form": form, "pending": services.pending()}
    return render(request, "tls/import.html", context, status=400 if form.errors else 200)


@for_administrators
@require_POST
def renew(request: HttpRequest) -> HttpResponse:
    """Make the own certificate anew."""
    try:
        services.renew(Actor.of(request))
    except Conflict as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The certificate was renewed. New connections see it within five seconds."))
    return redirect("tls:page")


@for_administrators
@require_safe
def request_file(request: HttpRequest) -> HttpResponse:
    """Give the request that waits, for the authority that is to sign it."""
    found = services.pending()
    if found is None:
        raise Http404
    return _file(found.pem.encode(), "application/pkcs10", "portal.csr")


@for_administrators
@require_POST
def request_remove(request: HttpRequest) -> HttpResponse:
    """Forget the request that waits, with its key."""
    services.forget_request(Actor.of(request))
    messages.success(request, _("The request is forgotten."))
    return redirect("tls:page")


@login_not_required
@require_safe
def trust(request: HttpRequest) -> HttpResponse:
    """Say how a browser or system is told to trust our own authority; open to everybody."""
    return render(request, "tls/trust.html", {"authority": _shown(services.trusted_by_hand())})


@login_not_required
@require_safe
def authority_pem(request: HttpRequest) -> HttpResponse:
    """Give the certificate of our own authority as text."""
    return _file(_authority().chain.encode(), PEM_TYPE, "portal-ca.pem")


@login_not_required
@require_safe
def authority_der(request: HttpRequest) -> HttpResponse:
    """Give the certificate of our own authority as Windows and browsers like it."""
    certificate = x509.load_pem_x509_certificate(_authority().chain.encode())
    return _file(certificate.public_bytes(serialization.Encoding.DER), DER_TYPE, "portal-ca.crt")


def _authority() -> Certificate:
    found = services.trusted_by_hand()
    if found is None:
        raise Http404
    return found


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=kind, headers=headers)

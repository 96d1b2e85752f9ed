"""The pages of the second factor: its code at sign-in, and its set-up and end."""

from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp import login as keep_device

from apps.accounts.forms import CodeForm, FirstCodeForm, ProofForm
from apps.accounts.models import TotpDevice
from apps.accounts.services import half_signed_in, signing_in
from apps.accounts.services import second_factor as factors
from apps.accounts.views import enter, next_of
from apps.core.actors import Actor
from apps.core.forms import attempt


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the code of whoever has given the right password, and sign him in."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(next_of(request))
    was_asked = half_signed_in.KEY in request.session
    half = half_signed_in.current(request)
    if half is None or (request.method == "POST" and request.POST.get("attempt") != half.name):
        page = reverse("accounts:login")
        return HttpResponseRedirect(f"{page}?late=1" if was_asked or request.method == "POST" else page)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if signing_in.check_code(request, half.user, form.cleaned_data["code"], "session.sign_in"):
            return enter(request, half.user, half.target)
        form.add_error(None, signing_in.CODE_REFUSED)
    context = {"form": form, "attempt": half.name, "person": half.user}
    return render(request, "accounts/code.html", context, status=400 if form.errors else 200)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Show whether a user has a second factor, and let him set it up, end it, or make recovery codes anew."""
    user: Any = request.user
    actor = Actor.of(request)
    asked = request.POST.get("what", "") if request.method == "POST" else ""
    sent = request.POST if asked else None
    first = FirstCodeForm(sent if asked == "confirm" else None, prefix="first")
    proof = ProofForm(sent if asked in {"off", "codes"} else None)
    codes: list[str] = []
    if asked == "begin":
        return _begin(request)
    if asked == "give-up":
        factors.give_up(user)
        return _back(request)
    if asked == "confirm" and first.is_valid():
        typed, session = first.cleaned_data["code"], request.session.session_key or ""
        if attempt(first, lambda: codes.extend(factors.confirm(user, typed, actor, session))):
            request.session.cycle_key()
            keep_device(request, factors.device_of(user))
    if asked in {"off", "codes"} and proof.is_valid():
        password, typed = proof.cleaned_data["password"], proof.cleaned_data["code"]
        if not signing_in.prove(request, user, password, typed, f"second_factor.{asked}"):
            proof.add_error(None, _("The password or the code is wrong, or the code was used already."))
        elif asked == "codes":
            attempt(proof, lambda: codes.extend(factors.renew_codes(user, actor)))
        elif attempt(proof, lambda: factors.turn_off(user, actor)):
            request.session.pop(DEVICE_ID_SESSION_KEY, None)
            messages.success(request, _("Your second factor is off."))
            return _back(request)
    return _page(request, first, proof, codes)


def _begin(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    try:
        factors.begin(user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('accounts:second-factor')}?{urlencode({'next': next_of(request)})}")


def _page(request: HttpRequest, first: FirstCodeForm, proof: ProofForm, codes: list[str]) -> HttpResponse:
    user: Any = request.user
    device, pending = factors.device_of(user), factors.pending_of(user)
    wrong = bool(first.errors or proof.errors)
    context = {
        "next": next_of(request),
        "device": device,
        "pending": pending,
        "picture": qr_code(pending, request.get_host()) if pending else "",
        "secret": in_groups(str(pending.secret)) if pending else "",
        "first": first,
        "proof": proof,
        "codes": "\n".join(codes),
        "left": factors.codes_left(device) if device else 0,
        "required": factors.is_required(user),
    }
    return render(request, "accounts/second_factor.html", context, status=400 if wrong else 200)


def qr_code(device: TotpDevice, host: str) -> SafeString:
    """Draw what an authenticator app reads, as a part of the page: dark on light in every theme."""
    drawn = segno.make(factors.address_of(device, host), error="m", micro=False)
    # Made of numbers alone: nothing that anybody typed stands in it.
    return mark_safe(drawn.svg_inline(border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S308


def in_groups(secret: str) -> str:
    """Write a secret so that it can be typed: four signs at a time."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))

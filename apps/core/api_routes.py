"""The API resources of the core: jobs, options, audit."""

from django.urls import URLPattern

routes: list[URLPattern] = []

"""The API resources of access."""

from django.urls import URLPattern

routes: list[URLPattern] = []

"""The API resources of groups."""

from django.urls import URLPattern

routes: list[URLPattern] = []

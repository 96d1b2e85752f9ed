"""The API resources of components."""

from django.urls import URLPattern

routes: list[URLPattern] = []

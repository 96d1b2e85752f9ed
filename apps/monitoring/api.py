"""The API resources of monitoring."""

from django.urls import URLPattern

routes: list[URLPattern] = []

"""The API resources of alerts."""

from django.urls import URLPattern

routes: list[URLPattern] = []

"""The API resources of accounts."""

from django.urls import URLPattern

routes: list[URLPattern] = []

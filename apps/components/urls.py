"""The pages of components."""

from django.urls import URLPattern

app_name = "components"
urlpatterns: list[URLPattern] = []

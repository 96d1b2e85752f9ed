"""The addresses of the core: the live stream."""

from django.urls import path

from apps.core import stream

app_name = "core"
urlpatterns = [
    path("events/stream/", stream.stream, name="stream"),
]

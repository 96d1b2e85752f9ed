"""The portal's own pages."""

from django.urls import path

from apps.portal import frame, styleguide

app_name = "portal"
urlpatterns = [
    path("pulse/", frame.pulse, name="pulse"),
    path("style-guide/", styleguide.style_guide, name="style-guide"),
    path("style-guide/series/", styleguide.sample_series, name="style-guide-series"),
]

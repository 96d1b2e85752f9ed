"""The portal's own pages."""

from django.urls import path

from apps.portal import about, frame, styleguide
from apps.portal.dashboard import views as dashboard

app_name = "portal"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("about/", about.about, name="about"),
    path("pulse/", frame.pulse, name="pulse"),
    path("style-guide/", styleguide.style_guide, name="style-guide"),
    path("style-guide/series/", styleguide.sample_series, name="style-guide-series"),
]

"""The portal's own pages."""

from django.urls import path

from apps.portal import about, capacity, frame, helping, ports, processes, styleguide
from apps.portal.dashboard import views as dashboard

app_name = "portal"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("about/", about.about, name="about"),
    path("about/support-bundles/", about.bundles, name="bundles"),
    path("about/support-bundles/order/", about.order_bundle, name="bundle-order"),
    path("about/support-bundles/<int:pk>/", about.download_bundle, name="bundle"),
    path("help/", helping.help_page, name="help"),
    path("capacity/", capacity.capacity, name="capacity"),
    path("capacity/history/", capacity.history, name="capacity-history"),
    path("processes/", processes.processes, name="processes"),
    path("processes/ports/", processes.set_ports, name="set-ports"),
    path("processes/restart/", processes.restart, name="restart"),
    path("processes/restarting/", processes.restarting, name="restarting"),
    path("ports/", ports.ports, name="ports"),
    path("ports/try/", ports.try_port, name="try-port"),
    path("pulse/", frame.pulse, name="pulse"),
    path("style-guide/", styleguide.style_guide, name="style-guide"),
    path("style-guide/series/", styleguide.sample_series, name="style-guide-series"),
]

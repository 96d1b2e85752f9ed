"""The pages of alerts and incidents."""

from django.urls import URLPattern, path

from apps.alerts.views import acts, export, lists, reception, subscriptions

app_name = "alerts"
urlpatterns: list[URLPattern] = [
    path("alerts/", lists.alert_list, name="list"),
    path("alerts/reception/", reception.show, name="reception"),
    path("alerts/subscriptions/<int:pk>/test/", subscriptions.test, name="test-subscription"),
    path("alerts/farewells/<int:pk>/forget/", subscriptions.forget, name="forget-farewell"),
    path("alerts/news/", lists.alert_news, name="alert-news"),
    path("alerts/export/", export.alerts, name="export"),
    path("alerts/<int:pk>/", lists.alert, name="alert"),
    path("alerts/<int:pk>/assign/", acts.assign, name="assign"),
    path("alerts/acknowledge/", acts.acknowledge, name="acknowledge"),
    path("alerts/close/", acts.close, name="close"),
    path("incidents/", lists.incident_list, name="incidents"),
    path("incidents/news/", lists.incident_news, name="incident-news"),
    path("incidents/<int:pk>/", lists.incident, name="incident"),
]

"""The pages of alerts."""

from django.urls import URLPattern, path

from apps.alerts import views

app_name = "alerts"
urlpatterns: list[URLPattern] = [
    path("alerts/", views.alert_list, name="list"),
    path("alerts/<int:pk>/", views.alert, name="alert"),
    path("alerts/<int:pk>/assign/", views.assign, name="assign"),
    path("alerts/acknowledge/", views.acknowledge, name="acknowledge"),
    path("alerts/close/", views.close, name="close"),
]

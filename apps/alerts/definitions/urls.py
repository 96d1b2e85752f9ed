"""The addresses of the pages of alert definitions."""

from django.urls import URLPattern, path

from apps.alerts.definitions import views

app_name = "definitions"
urlpatterns: list[URLPattern] = [
    path("alert-definitions/", views.definition_list, name="list"),
    path("alert-definitions/new/", views.new, name="new"),
    path("alert-definitions/import/", views.take, name="import"),
    path("alert-definitions/export/", views.export, name="export"),
    path("alert-definitions/settle/", views.settle, name="settle"),
    path("alert-definitions/<int:pk>/", views.definition, name="definition"),
    path("alert-definitions/<int:pk>/enabled/", views.enabled, name="enabled"),
    path("alert-definitions/<int:pk>/restore/", views.restore, name="restore"),
    path("alert-definitions/<int:pk>/remove/", views.remove, name="remove"),
    path("alert-definitions/<int:pk>/apply/", views.apply, name="apply"),
]

"""The addresses of the environment settings."""

from django.urls import path

from apps.core import setting_pages

app_name = "settings"
urlpatterns = [
    path("", setting_pages.setting_list, name="list"),
    path("<str:name>/", setting_pages.setting, name="option"),
    path("<str:name>/reset/", setting_pages.reset, name="reset"),
    path("<str:name>/history/", setting_pages.history, name="history"),
]

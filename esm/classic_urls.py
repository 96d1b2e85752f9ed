"""The addresses of classic mode, on its own port: Django admin and the sign-in page."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("apps.accounts.urls")),
    path("", admin.site.urls),
]

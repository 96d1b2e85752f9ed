"""The pages of operations."""

from django.urls import path

from apps.control.pages.order import order

app_name = "control"
urlpatterns = [
    path("operations/", order, name="order"),
]

"""The pages of operations."""

from django.urls import path

from apps.control.pages import console
from apps.control.pages.order import order

app_name = "control"
urlpatterns = [
    path("operations/", order, name="order"),
    path("components/<int:pk>/console/", console.console, name="console"),
    path("components/<int:pk>/console/attach/", console.attach, name="console-attach"),
    path("components/<int:pk>/own-page/", console.own_page, name="own-page"),
    path("consoles/<int:console>/transcript/", console.transcript, name="console-transcript"),
]

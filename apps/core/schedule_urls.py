"""The address of the calendar."""

from django.urls import path

from apps.core import schedule_pages

app_name = "schedules"
urlpatterns = [
    path("", schedule_pages.calendar, name="calendar"),
]

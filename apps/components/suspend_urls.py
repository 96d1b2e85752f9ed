"""The pages of suspend periods, below the calendar."""

from django.urls import path

from apps.components.pages import suspend_periods

app_name = "suspend_periods"
urlpatterns = [
    path("", suspend_periods.period_list, name="list"),
    path("add/", suspend_periods.add, name="add"),
    path("preview/", suspend_periods.preview, name="preview"),
    path("<int:pk>/", suspend_periods.period, name="period"),
    path("<int:pk>/edit/", suspend_periods.edit, name="edit"),
    path("<int:pk>/switch/", suspend_periods.switch, name="switch"),
    path("<int:pk>/end/", suspend_periods.end, name="end"),
    path("<int:pk>/leave-out/", suspend_periods.leave_out, name="leave-out"),
    path("<int:pk>/take-back/", suspend_periods.take_back, name="take-back"),
    path("<int:pk>/remove/", suspend_periods.remove, name="remove"),
]

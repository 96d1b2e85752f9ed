"""The addresses of the job pages."""

from django.urls import path

from apps.core import job_pages

app_name = "jobs"
urlpatterns = [
    path("", job_pages.job_list, name="list"),
    path("<int:pk>/", job_pages.job, name="job"),
    path("<int:pk>/cancel/", job_pages.cancel, name="cancel"),
]

"""The pages of remote batches, below the calendar."""

from django.urls import path

from apps.control.pages import remote_batches

app_name = "remote_batches"
urlpatterns = [
    path("", remote_batches.batch_list, name="list"),
    path("add/", remote_batches.add, name="add"),
    path("preview/", remote_batches.preview, name="preview"),
    path("<int:pk>/", remote_batches.batch, name="batch"),
    path("<int:pk>/edit/", remote_batches.edit, name="edit"),
    path("<int:pk>/run/", remote_batches.run, name="run"),
    path("<int:pk>/pause/", remote_batches.pause, name="pause"),
    path("<int:pk>/resume/", remote_batches.resume, name="resume"),
    path("<int:pk>/leave-out/", remote_batches.leave_out, name="leave-out"),
    path("<int:pk>/take-back/", remote_batches.take_back, name="take-back"),
    path("<int:pk>/remove/", remote_batches.remove, name="remove"),
]

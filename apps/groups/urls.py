"""The pages of groups."""

from django.urls import path

from apps.groups import views

app_name = "groups"
urlpatterns = [
    path("groups/", views.group_list, name="list"),
    path("groups/add/", views.add, name="add"),
    path("groups/<int:pk>/", views.edit, name="group"),
    path("groups/<int:pk>/remove/", views.remove, name="remove"),
]

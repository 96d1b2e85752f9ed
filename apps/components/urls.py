"""The pages of components."""

from django.urls import path

from apps.components.pages import bulk, credentials, listing

app_name = "components"
urlpatterns = [
    path("components/", listing.component_list, name="list"),
    path("components/bulk/", bulk.bulk, name="bulk"),
    path("components/credentials/", credentials.credential_list, name="credentials"),
    path("components/credentials/add/", credentials.add, name="credential-add"),
    path("components/credentials/<int:pk>/", credentials.edit, name="credential"),
    path("components/credentials/<int:pk>/remove/", credentials.remove, name="credential-remove"),
]

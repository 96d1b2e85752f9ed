"""The pages of components."""

from django.urls import path

from apps.components.pages import bulk, certificates, credentials, detail, listing, managers, registration, suspend_now

app_name = "components"
urlpatterns = [
    path("components/", listing.component_list, name="list"),
    path("components/bulk/", bulk.bulk, name="bulk"),
    path("components/add/", registration.add, name="add"),
    path("components/<int:pk>/", detail.component, name="component"),
    path("components/<int:pk>/edit/", registration.edit, name="edit"),
    path("components/<int:pk>/remove/", registration.remove, name="remove"),
    path("components/<int:pk>/join/", registration.join, name="join"),
    path("components/<int:pk>/split/", registration.split, name="split"),
    path("components/<int:pk>/manage/", registration.manage, name="manage"),
    path("components/<int:pk>/managers/", managers.managers_of, name="managers"),
    path("components/<int:pk>/suspend/", suspend_now.suspend, name="suspend"),
    path("components/<int:pk>/resume/", suspend_now.resume, name="resume"),
    path("components/<int:pk>/check/", registration.check, name="check"),
    path("components/<int:pk>/refresh/", registration.refresh, name="refresh"),
    path("components/<int:pk>/interfaces/<int:interface>/certificate/", certificates.certificate, name="certificate"),
    path("components/credentials/", credentials.credential_list, name="credentials"),
    path("components/credentials/add/", credentials.add, name="credential-add"),
    path("components/credentials/<int:pk>/", credentials.edit, name="credential"),
    path("components/credentials/<int:pk>/remove/", credentials.remove, name="credential-remove"),
]

"""The pages of HTTPS."""

from django.urls import path

from apps.system.tls import views

app_name = "tls"
urlpatterns = [
    path("https/", views.page, name="page"),
    path("https/create/", views.create, name="create"),
    path("https/import/", views.take, name="import"),
    path("https/renew/", views.renew, name="renew"),
    path("https/request/", views.request_file, name="request"),
    path("https/request/remove/", views.request_remove, name="request-remove"),
    path("https/trust/", views.trust, name="trust"),
    path("https/authority.pem", views.authority_pem, name="authority-pem"),
    path("https/authority.crt", views.authority_der, name="authority-der"),
]

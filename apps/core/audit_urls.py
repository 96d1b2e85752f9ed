"""The addresses of the audit."""

from django.urls import path

from apps.core import audit_pages

app_name = "audit"
urlpatterns = [
    path("", audit_pages.audit_list, name="list"),
    path("<int:pk>/", audit_pages.entry, name="entry"),
    path("chain/", audit_pages.chain, name="chain"),
    path("verify/", audit_pages.verify, name="verify"),
    path("export/", audit_pages.export_file, name="export"),
]

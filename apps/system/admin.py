"""Classic mode over the certificates: what they say, never their keys. They are made on the page of HTTPS."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.classic import ScopedAdmin
from apps.system.models import Certificate, CertificateRequest
from apps.system.tls import services


class KeylessAdmin(ScopedAdmin):
    """Rows whose key is not even read."""

    view_word = "settings"
    can_add = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Give the rows without their keys."""
        return super().get_queryset(request).defer("key")


@admin.register(Certificate)
class CertificateAdmin(KeylessAdmin):
    """The certificate of HTTPS and that of the portal's own authority."""

    list_display = ("use", "subject", "issuer", "not_after", "days_left", "own")
    search_fields = ("subject", "issuer", "serial", "fingerprint")
    fields = (
        *("use", "subject", "names", "issuer", "own", "serial", "fingerprint", "key_kind", "not_before", "not_after"),
        *("days", "made_at", "chain"),
    )
    readonly_fields = fields

    @admin.display(description=_("days left"))
    def days_left(self, row: Certificate) -> int:
        """Give the whole days until its end."""
        return row.days_left(timezone.now())


@admin.register(CertificateRequest)
class RequestAdmin(KeylessAdmin):
    """The request that waits for its certificate; it can be forgotten."""

    change_word = "settings"
    list_display = ("subject", "made_at")
    fields = ("subject", "made_at", "pem")
    readonly_fields = fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def remove(self, found: CertificateRequest, actor: Actor) -> None:
        """Forget it with its key."""
        services.forget_request(actor)

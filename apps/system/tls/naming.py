"""The names of the certificate are names of the portal, too; read anew every few seconds."""

import time

from apps.system.models import Certificate, CertificateUse

FRESH = 3.0  # seconds that a process trusts what it read

_names: list[str] = []
_read_at = -FRESH


def certificate_names() -> list[str]:
    """Give the names in the certificate of HTTPS."""
    global _names, _read_at
    if time.monotonic() - _read_at >= FRESH:
        found = Certificate.objects.filter(use=CertificateUse.PORTAL).values_list("names", flat=True).first()
        _names, _read_at = found or [], time.monotonic()
    return _names

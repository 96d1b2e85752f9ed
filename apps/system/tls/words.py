"""What the options and variables of HTTPS are called."""

from django.utils.translation import gettext_lazy as _

SECTION = _("HTTPS")
HTTPS, VARIABLE = "https", "ESM_TLS"
MINIMUM = "tls_minimum"
HSTS = "hsts_max_age"
REDIRECT_PORT, REDIRECT_VARIABLE = "http_redirect_port", "ESM_REDIRECT_PORT"
RENEW_BEFORE = "certificate_renew_days"

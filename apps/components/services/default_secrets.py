"""Finds credentials that came with a device and that everybody knows (LGN-05)."""

import json
from collections.abc import Iterable

from django.db.models import F, TextField
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.password_policy import DEFAULTS
from apps.components.models import CredentialVersion
from apps.core import secrets
from apps.core.cautions import Caution

FIELDS = ("community", "password", "auth_password", "priv_password")


def cautions() -> Iterable[Caution]:
    """Give the credentials whose community or password is a default."""
    newest = CredentialVersion.objects.filter(number=F("credential__version")).order_by("credential__name")
    rows = newest.annotate(stored=Cast("fields", TextField()))  # the field itself would stop at a key that is gone
    return [
        Caution(
            _("The credential %(name)s says what every maker ships.") % {"name": name},
            reverse("components:credential", args=[pk], urlconf="esm.urls"),
        )
        for pk, name, stored in rows.values_list("credential", "credential__name", "stored")
        if _is_default(stored)
    ]


def _is_default(stored: str) -> bool:
    try:
        fields = json.loads(secrets.decrypt(stored))
    except secrets.Undecipherable:  # nobody can use this one any more
        return False
    return any(str(fields.get(name, "")).casefold() in DEFAULTS for name in FIELDS)

"""Who may send notifications of version 3: the users that credentials name."""

import logging
from dataclasses import dataclass, field

from django.db.models import F

from apps.alerts.services.reception import USER_KIND
from apps.components.models import CredentialVersion
from apps.core import options
from apps.core.secrets import Undecipherable
from apps.protocols.snmp.privacy import master_key
from apps.protocols.snmp.receiving import LEVELS
from apps.protocols.snmp.usm import User, make_user

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Admitted:
    """The users, and how well protected their messages have to be at least."""

    users: frozenset[User] = field(repr=False)
    least_level: int


class Users:
    """Reads the credentials; each version is decrypted once, and its slow keys are made here, not in the loop."""

    def __init__(self) -> None:
        self._known: dict[int, User] = {}
        self._unreadable: set[int] = set()

    def read(self) -> Admitted:
        """Give who may send by now. A credential that devices refuse may still be theirs for sending."""
        newest = CredentialVersion.objects.filter(credential__kind=USER_KIND, number=F("credential__version"))
        present = set(newest.order_by().values_list("pk", flat=True))
        self._known = {pk: user for pk, user in self._known.items() if pk in present}
        for pk in sorted(present - self._known.keys()):
            self._learn(pk)
        return Admitted(frozenset(self._known.values()), LEVELS[options.get("trap_v3_level")])

    def _learn(self, pk: int) -> None:
        try:
            fields = CredentialVersion.objects.filter(pk=pk).values_list("fields", flat=True).first()
        except Undecipherable:
            if pk not in self._unreadable:
                log.error("a credential cannot be decrypted with the key file that is there: its user cannot send")
                self._unreadable.add(pk)
            return
        if fields is None:  # removed meanwhile
            return
        names = ("username", "auth_protocol", "auth_password", "priv_protocol", "priv_password")
        user = make_user(*(str(fields[name]) for name in names))
        if user.hash_name:
            master_key(user.hash_name, user.auth_password)
            if user.encrypts:
                master_key(user.hash_name, user.priv_password)
        self._known[pk] = user

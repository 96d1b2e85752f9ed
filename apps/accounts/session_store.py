"""Keeps sessions as rows of their own, found by their user; a row that was removed is signed out at once.

There is no copy in the cache: what another process ended must not live on there.
"""

from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.backends.db import SessionStore as RowStore
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import Session, User
from apps.accounts.models.sessions import lasts_at_most
from apps.core import events
from apps.core.writes import turn

TOLD_WITHIN = timedelta(days=1)  # of the end of a session its browser hears why it has ended


class SessionStore(RowStore):
    """Django's store over our rows; what a person did last stands beside the data, which requests overwrite."""

    active_at: datetime | None = None
    signed_in_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Give the model."""
        return Session

    def read(self) -> "SessionStore":
        """Read the row, once, for the times beside the data."""
        self.keys()
        return self

    def get_session_cookie_age(self) -> int:
        """Give how long row and cookie are kept, in seconds: as long as a session lasts, and until its end is told."""
        return int((lasts_at_most() + TOLD_WITHIN).total_seconds())

    def load(self) -> dict[str, Any]:
        """Read the data, and the times beside it."""
        row = Session.objects.filter(session_key=self.session_key, expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
            return {}
        self.active_at, self.signed_in_at = row.active_at, row.signed_in_at
        found: dict[str, Any] = self.decode(row.session_data)
        return found

    def save(self, must_create: bool = False) -> None:
        """Write the data; raises CreateError when the key is taken, UpdateError when the row was removed meanwhile."""
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # the stubs leave it out
        written = {
            "session_data": self.encode(data),
            "expire_date": self.get_expiry_date(),
            "user_id": User._meta.pk.to_python(data[SESSION_KEY]) if SESSION_KEY in data else None,
        }
        with turn():
            if must_create:
                self._insert(written)
            elif not Session.objects.filter(session_key=self.session_key).update(**written):
                raise UpdateError

    def _insert(self, written: dict[str, Any]) -> None:
        try:
            with transaction.atomic():
                row = Session.objects.create(session_key=self.session_key, **written)
        except IntegrityError as error:
            raise CreateError from error
        self.active_at, self.signed_in_at = row.active_at, row.signed_in_at

    def delete(self, session_key: str | None = None) -> None:
        """Remove a session, this one when none is named."""
        gone = session_key or self.session_key
        if gone is not None:
            with turn():
                Session.objects.filter(session_key=gone).delete()
                events.publish(events.ACCESS)  # a console that was opened in it ends with it

    async def asave(self, must_create: bool = False) -> None:
        """Do the same from a coroutine."""
        await sync_to_async(self.save)(must_create)

    async def aload(self) -> dict[str, Any]:
        """Do the same from a coroutine."""
        return await sync_to_async(self.load)()

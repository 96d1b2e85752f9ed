"""Re-encrypts every stored secret with a new key. May be killed at any moment and started again."""

from collections.abc import Iterator

from cryptography.fernet import Fernet
from django.apps import apps
from django.db import models
from django.db.models import TextField, Value
from django.db.models.functions import Cast

from apps.core import audit, secrets
from apps.core.actors import Actor
from apps.core.fields import EncryptedJSONField
from apps.core.writes import turn

AT_ONCE = 200  # rows in one transaction


def rotate(actor: Actor, *, signing_too: bool = False) -> int:
    """Add a key, encrypt everything with it, then drop the keys that nothing needs; gives how many values moved.

    The oldest key stays, because Django's signing key is derived from it, unless ``signing_too``. Old keys go only
    after a whole pass has found nothing more to do: until then every value can be read with some key of the file.
    """
    secrets.add_key()
    moved = 0
    while True:
        found = sum(_rotate_field(model, field.attname) for model, field in encrypted_fields())
        moved += found
        if not found:
            break
    secrets.drop_old_keys(signing_too=signing_too)
    with turn():
        audit.record(actor, "secrets.rotate", after={"values": moved, "signing_key": signing_too})
    return moved


def encrypted_fields() -> Iterator[tuple[type[models.Model], EncryptedJSONField]]:
    """Give every encrypted field of every table."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedJSONField):
                yield model, field


def _rotate_field(model: type[models.Model], name: str) -> int:
    """Encrypt one column anew, in batches; a value that somebody changed meanwhile is left to the next pass."""
    moved, last = 0, 0
    newest = Fernet(secrets.newest_key())
    rows = model._default_manager.annotate(stored=Cast(name, TextField())).exclude(stored=None).order_by("pk")
    while batch := list(rows.filter(pk__gt=last).values_list("pk", "stored")[:AT_ONCE]):
        last = batch[-1][0]
        old = [(pk, token) for pk, token in batch if not secrets.is_of(token, newest)]
        if old:
            with turn():
                for pk, token in old:
                    fresh = Value(secrets.rotate(token), output_field=TextField())
                    moved += rows.order_by().filter(pk=pk, stored=token).update(**{name: fresh})
    return moved

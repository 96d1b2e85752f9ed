"""Polls and reads the inventory out of turn, because somebody asked for it."""

from collections.abc import Mapping, Sequence

from apps.monitoring.services import inventory, polling
from apps.protocols.errors import ContactError


def collect(interface_ids: Sequence[int]) -> Mapping[int, ContactError | None]:
    """Give per interface None, or what went wrong; who does not answer the poll is not asked for more."""
    outcome = polling.poll(interface_ids, even_silent=True, every_log=True)
    answering = [pk for pk, error in outcome.items() if error is None]
    return {**outcome, **inventory.read(answering)}

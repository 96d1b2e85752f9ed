"""The clockwork of access."""

from celery import shared_task

from apps.access.services import tokens


@shared_task(soft_time_limit=50, time_limit=60)
def remove_expired_tokens() -> None:
    """Remove the tokens that expired long ago."""
    tokens.remove_expired()

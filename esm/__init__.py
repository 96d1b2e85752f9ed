"""Wiring only: settings, URLs, the Celery application and the ASGI entry points."""

from esm.celery import app as celery_app

__all__ = ["celery_app"]

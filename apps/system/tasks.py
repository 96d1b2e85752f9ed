"""The clockwork of what runs the portal itself: measure what is stored, support bundles, the certificate."""

from celery import shared_task

from apps.system.bundle import orders
from apps.system.capacity import measuring
from apps.system.tls import watching


@shared_task(soft_time_limit=600, time_limit=660)
def measure_capacity() -> None:
    """Measure what is stored."""
    measuring.measure()


@shared_task(soft_time_limit=300, time_limit=330)
def make_bundle(job_id: int) -> None:
    """Make the support bundle of a job."""
    orders.make(job_id)


@shared_task(soft_time_limit=50, time_limit=60)
def remove_old_bundles() -> None:
    """Remove support bundles that nobody fetched within a day."""
    orders.remove_old()


@shared_task(soft_time_limit=50, time_limit=60)
def watch_certificate() -> None:
    """Renew the certificate of HTTPS, or warn of its end."""
    watching.watch()


def start_bundle(job_id: int) -> None:
    """Queue the making of a support bundle."""
    make_bundle.apply_async((job_id,), queue="control", expires=600)

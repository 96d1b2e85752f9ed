"""Works on the queues: polls, orders, messages."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.system import specs, worker


class Command(BaseCommand):
    """Run one worker by itself, for a service manager or on a further machine."""

    help = "Run a worker. Give --polling or --other (two workers, so that orders never wait behind polls), or --queues."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the share of the work."""
        share = parser.add_mutually_exclusive_group(required=True)
        share.add_argument("--polling", action="store_true", help="the queues " + ", ".join(worker.POLL_QUEUES))
        share.add_argument("--other", action="store_true", help="the queues " + ", ".join(worker.OTHER_QUEUES))
        share.add_argument("--queues", help="these queues, with commas between")
        parser.add_argument("--concurrency", type=int, help="processes (with --other: threads); default ESM_WORKERS")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until told to stop."""
        try:
            processes = options["concurrency"] or specs.poll_processes()
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["other"]:
            threads = options["concurrency"] or worker.THREADS
            sys.exit(worker.work(worker.OTHER_QUEUES, pool="threads", concurrency=threads, name="worker"))
        queues = tuple(options["queues"].split(",")) if options["queues"] else worker.POLL_QUEUES
        sys.exit(worker.work(queues, pool="prefork", concurrency=processes, name="worker-poll"))

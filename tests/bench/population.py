"""Fills a stopped or running portal's database for a measurement; run inside the portal's environment.

python -m tests.bench.population agents COUNT PORT        registers COUNT agents of the simulated fleet
python -m tests.bench.population due                      makes every interface due now
python -m tests.bench.population fill COUNT               adds COUNT components that are never polled
python -m tests.bench.population senders                  adds a component for each sender of the stream
python -m tests.bench.population alerts                   prints how many notifications were stored, as JSON
python -m tests.bench.population polled SINCE             prints "polled answered first last" since a Unix time
"""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import django

from tests.e2e.portal import ROOT, Portal


def main(verb: str, *arguments: str) -> None:
    """Do one thing."""
    django.setup()
    verbs = {"agents": agents, "due": due, "fill": fill, "polled": polled, "senders": senders, "alerts": alerts}
    verbs[verb](*arguments)


def populate(portal: Portal, *arguments: str) -> str:
    """Do one thing in the environment of a running portal, and give what it printed."""
    command = [sys.executable, "-m", "tests.bench.population", *arguments]
    environment = {**portal.started_with, "DJANGO_SETTINGS_MODULE": "esm.settings.prod"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def agents(count: str, port: str) -> None:
    """Register the fleet: one component, one interface each, all with one credential."""
    from apps.components.models import Component, Credential, CredentialVersion, ManagementInterface
    from apps.core.writes import turn
    from apps.groups.models import Group
    from tests.bench import fleet

    root = Group.objects.get(parent=None)
    with turn():
        credential = Credential.objects.create(name="bench", kind="snmp-community", group=root)
        CredentialVersion.objects.create(
            credential=credential, number=1, fields={"version": "2c", "community": "public"}
        )
        names = [Component(name=f"agent-{number:04}", group=root) for number in range(int(count))]
        rows = Component.objects.bulk_create(names, batch_size=500)
        ManagementInterface.objects.bulk_create(
            [
                ManagementInterface(
                    component=row,
                    driver="snmp_agent",
                    address=fleet.address(number),
                    port=int(port),
                    credential=credential,
                    next_poll_at=None,
                    next_inventory_at=None,
                )
                for number, row in enumerate(rows)
            ],
            batch_size=500,
        )


def due() -> None:
    """Make every interface of the fleet due at once."""
    from django.utils import timezone

    from apps.components.models import ManagementInterface
    from apps.core.writes import turn

    with turn():
        ManagementInterface.objects.filter(driver="snmp_agent").update(next_poll_at=timezone.now())


def fill(count: str) -> None:
    """Add components in a tree of forty groups, one in fifty of them not normal."""
    from apps.components.models import Component, ManagementInterface, Status
    from apps.core.writes import turn
    from apps.groups.models import Group

    root = Group.objects.get(parent=None)
    groups = [Group.objects.create(name=f"Site {number:02}", parent=root) for number in range(40)]
    states = [Status.CRITICAL, Status.WARNING, Status.UNKNOWN]
    for start in range(0, int(count), 500):
        with turn():
            rows = Component.objects.bulk_create(
                [
                    Component(
                        name=f"node-{number:05}",
                        search_text=f"node-{number:05}",
                        group=groups[number % len(groups)],
                        status=states[number % 3] if number % 50 == 0 else Status.NORMAL,
                        cpu=float(number % 100),
                        disk=float(number % 97),
                        memory=float(number % 89),
                    )
                    for number in range(start, min(start + 500, int(count)))
                ]
            )
            ManagementInterface.objects.bulk_create(
                [
                    ManagementInterface(
                        component=row, driver="fake", address=f"node-{row.pk}", enabled=False, next_poll_at=None
                    )
                    for row in rows
                ]
            )


def polled(since: str) -> None:
    """Say how many interfaces were polled, how many answered, and when the first and the last result was made."""
    from django.db.models import Count, Max, Min, Q

    from apps.components.models import ManagementInterface

    start = datetime.fromtimestamp(float(since), UTC)
    found = ManagementInterface.objects.filter(driver="snmp_agent", last_polled_at__gte=start).aggregate(
        polled=Count("pk"),
        answered=Count("pk", filter=Q(last_error_code="")),
        first=Min("last_polled_at"),
        last=Max("last_polled_at"),
    )
    spans = [(found[name] - start) / timedelta(seconds=1) if found[name] else 0.0 for name in ("first", "last")]
    print(found["polled"], found["answered"], *(f"{span:.2f}" for span in spans))


def senders() -> None:
    """Add the components that send the stream, as if they had been polled and answered."""
    from django.utils import timezone

    from apps.components.models import Component, ManagementInterface, Status
    from apps.core.writes import turn
    from apps.groups.models import Group
    from tests.bench import stream

    root, now = Group.objects.get(parent=None), timezone.now()
    with turn():
        components = Component.objects.bulk_create(
            [Component(name=f"sender-{n:03}", group=root, status=Status.NORMAL) for n in range(stream.SENDERS)]
        )
        ManagementInterface.objects.bulk_create(
            [
                ManagementInterface(
                    component=component,
                    driver="fake",
                    address=stream.address(number),
                    next_poll_at=None,
                    next_inventory_at=None,
                    last_polled_at=now,
                    last_answer_at=now,
                )
                for number, component in enumerate(components)
            ]
        )


def alerts() -> None:
    """Say what is stored and what was counted."""
    from apps.alerts.models import Alert, Counter

    received = Alert.objects.filter(source="snmp-trap")
    print(json.dumps({**Counter.values(), "rows": received.count(), "matched": received.matched().count()}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Fills a stopped or running portal's database for a measurement; run inside the portal's environment.

python -m tests.bench.population agents COUNT PORT        registers COUNT agents of the simulated fleet
python -m tests.bench.population controllers DRIVER COUNT FIRST PORT NAME PASSWORD   registers COUNT controllers
python -m tests.bench.population due [DRIVER]             makes every interface due now, of controllers their parts, too
python -m tests.bench.population spread SECONDS           makes every interface due once within so many seconds
python -m tests.bench.population fill COUNT               adds COUNT components that are never polled
python -m tests.bench.population access COUNT NAME PASSWORD   adds as many in 500 groups, and 200 users; prints JSON
python -m tests.bench.population alerts COUNT             adds COUNT alerts of a year, with their incidents
python -m tests.bench.population places NAME PASSWORD     adds an operator, prints what to look at, as JSON
python -m tests.bench.population senders                  adds a component for each sender of the stream
python -m tests.bench.population received                 prints how many notifications were stored, as JSON
python -m tests.bench.population polled SINCE [DRIVER]    prints "polled answered first last" since a Unix time
python -m tests.bench.population listed SINCE DRIVER      prints how many inventories were read since then
python -m tests.bench.population stored FROM TO           prints how many polls were stored, and the longest gap in s
python -m tests.bench.population traps WORD               prints how many alerts hold "WORD number", and the counters
python -m tests.bench.population capacity                 measures what is stored, prints that and what it took
python -m tests.bench.population rollup                   rolls the last hour up and prints what that took
"""

import json
import sys
from datetime import UTC, datetime, timedelta

import django
from django.core.management.color import no_style

AGENT = "snmp_agent"


def main(verb: str, *arguments: str) -> None:
    """Do one thing."""
    django.setup()
    verbs = {"agents": agents, "due": due, "spread": spread, "fill": fill, "polled": polled, "senders": senders}
    verbs |= {"alerts": alerts, "received": received, "stored": stored, "traps": traps, "rollup": roll_up}
    verbs |= {"poll_due": poll_due}
    verbs |= {"capacity": capacity, "places": places, "access": access, "controllers": controllers, "listed": listed}
    verbs[verb](*arguments)


def agents(count: str, port: str) -> None:
    """Register the fleet: one component, one interface each, all with one credential."""
    from tests.bench import fleet

    _register(AGENT, "snmp-community", {"version": "2c", "community": "public"}, fleet.FIRST, int(count), int(port))


def controllers(driver: str, count: str, first: str, port: str, name: str, password: str) -> None:
    """Register controllers at addresses one after the other."""
    _register(driver, "password", {"username": name, "password": password}, first, int(count), int(port))


def _register(driver: str, kind: str, secret: dict[str, str], first: str, count: int, port: int) -> None:
    from apps.components.models import Component, Credential, CredentialVersion, ManagementInterface
    from apps.core.writes import turn
    from apps.groups.models import Group
    from tests.bench import fleet

    root = Group.objects.get(parent=None)
    with turn():
        credential = Credential.objects.create(name="bench", kind=kind, group=root)
        CredentialVersion.objects.create(credential=credential, number=1, fields=secret)
        names = [Component(name=f"machine-{number:04}", group=root) for number in range(count)]
        rows = Component.objects.bulk_create(names, batch_size=500)
        ManagementInterface.objects.bulk_create(
            [
                ManagementInterface(
                    component=row,
                    driver=driver,
                    address=fleet.address_after(first, number),
                    port=port,
                    credential=credential,
                    next_poll_at=None,
                    next_inventory_at=None,
                )
                for number, row in enumerate(rows)
            ],
            batch_size=500,
        )


def due(driver: str = AGENT) -> None:
    """Make every interface of the fleet due at once, and with controllers what they are made of."""
    from django.utils import timezone

    from apps.components.models import ManagementInterface
    from apps.core.writes import turn

    with turn():
        rows = ManagementInterface.objects.filter(driver=driver)
        rows.update(next_poll_at=timezone.now())
        if driver != AGENT:
            rows.update(next_inventory_at=timezone.now())


def poll_due(driver: str) -> None:
    """Make the poll of every interface of a driver due, and nothing else."""
    from django.utils import timezone

    from apps.components.models import ManagementInterface
    from apps.core.writes import turn

    with turn():
        ManagementInterface.objects.filter(driver=driver).update(next_poll_at=timezone.now())


def spread(seconds: str) -> None:
    """Make every interface of the fleet due once within so many seconds, its inventory once within a day."""
    from django.utils import timezone

    from apps.components.models import ManagementInterface
    from apps.core.writes import turn

    rows = list(ManagementInterface.objects.filter(driver=AGENT).order_by("pk"))
    now, step = timezone.now(), float(seconds) / max(len(rows), 1)
    for number, row in enumerate(rows):
        row.next_poll_at = now + timedelta(seconds=number * step)
        row.next_inventory_at = now + timedelta(days=(number + 1) / len(rows))
    for start in range(0, len(rows), 500):
        with turn():
            ManagementInterface.objects.bulk_update(
                rows[start : start + 500], ["next_poll_at", "next_inventory_at"], batch_size=500
            )


def fill(count: str) -> None:
    """Add components in a tree of forty groups."""
    from apps.groups.models import Group
    from tests.bench import node_rows

    root = Group.objects.get(parent=None)
    groups = [Group.objects.create(name=f"Site {number:02}", parent=root) for number in range(40)]
    node_rows.write(int(count), groups)


def access(count: str, name: str, password: str) -> None:
    """Add components in many groups, and many users, one of them an operator of a third; print what to look at."""
    from tests.bench import access_rows

    access_rows.fill(int(count), name, password)


def alerts(count: str) -> None:
    """Add a year of alerts of the components that ``fill`` made."""
    from django.db import connection
    from django.utils import timezone

    from apps.alerts.models import Alert, AlertDefinition, Incident
    from apps.components.models import Component
    from tests.bench import alert_rows

    course = alert_rows.Course(
        components=list(Component.objects.filter(name__startswith="node-").order_by("pk").values_list("pk", "name")),
        definitions=dict(AlertDefinition.objects.values_list("key", "pk")),
        count=int(count),
        until=timezone.now(),
        first_alert=(Alert.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1,
        first_incident=(Incident.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1,
    )
    for _one in course.walk():
        pass  # how often a problem came is known at the end, and alerts point at it
    alert_rows.write(Incident, course.incidents())
    alert_rows.write(Alert, course.alerts())
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Alert, Incident]):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")  # what its own housekeeping does in the background


def listed(since: str, driver: str) -> None:
    """Say of how many interfaces the parts were listed."""
    from apps.components.models import InventoryItem

    start = datetime.fromtimestamp(float(since), UTC)
    rows = InventoryItem.objects.filter(interface__driver=driver, read_at__gte=start).order_by()
    print(rows.values("interface").distinct().count())


def polled(since: str, driver: str = AGENT) -> None:
    """Say how many interfaces were polled, how many answered, and when the first and the last result was made."""
    from django.db.models import Count, Max, Min, Q

    from apps.components.models import ManagementInterface

    start = datetime.fromtimestamp(float(since), UTC)
    found = ManagementInterface.objects.filter(driver=driver, last_polled_at__gte=start).aggregate(
        polled=Count("pk"),
        answered=Count("pk", filter=Q(last_error_code="")),
        first=Min("last_polled_at"),
        last=Max("last_polled_at"),
    )
    spans = [(found[name] - start) / timedelta(seconds=1) if found[name] else 0.0 for name in ("first", "last")]
    print(found["polled"], found["answered"], *(f"{span:.2f}" for span in spans))


def stored(start: str, end: str) -> None:
    """Say how many polls were stored in a time, and the longest that one interface went without one."""
    from apps.components.models import ManagementInterface
    from apps.monitoring.models import Sample

    low, high = float(start) * 1000, float(end) * 1000
    ids = ManagementInterface.objects.filter(driver=AGENT).values_list("pk", flat=True)
    last = dict.fromkeys(ids, low)
    count, longest = 0, 0.0
    rows = Sample.objects.filter(at__gte=low, at__lt=high).order_by("pk").values_list("interface_id", "at")
    for interface_id, at in rows.iterator(5000):
        count += 1
        longest = max(longest, at - last[interface_id])
        last[interface_id] = at
    longest = max([longest, *(high - at for at in last.values())])
    print(count, f"{longest / 1000:.0f}")


def traps(word: str) -> None:
    """Say how many numbered traps are stored, each number once, and what reception counted besides."""
    from apps.alerts.models import Alert, Counter

    numbers = set()
    for bindings in Alert.objects.order_by("pk").values_list("bindings", flat=True).iterator(5000):
        numbers |= {binding["value"] for binding in bindings if str(binding["value"]).startswith(f"{word} ")}
    print(len(numbers), ", ".join(f"{name} {value}" for name, value in Counter.values().items() if value))


def capacity() -> None:
    """Measure what is stored as the task does, and say what one of each kind takes."""
    import time

    from apps.system.capacity import measuring, planning

    start = time.perf_counter()
    facts = measuring.measure().facts
    took = time.perf_counter() - start
    way = "counted" if facts["counted"] else "estimated"
    each = ", ".join(
        f"{kind['name']} {kind['rows']} x {kind['each']:.0f} B" for kind in facts["kinds"] if kind["each"] is not None
    )
    weights = ", ".join(f"{name} {value:.1f}" for name, value in planning.in_words(measuring.weights(facts)).items())
    print(f"{facts['database']['total'] / 2**20:.0f} MiB {way} in {took:.2f} s: {each}; {weights}")


def roll_up() -> None:
    """Roll the hour up in which the last samples fall, as the task does when it has ended."""
    import resource
    import time

    from django.utils import timezone

    from apps.monitoring.models import RollUp, Span
    from apps.monitoring.services import rollups

    before, start = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    rollups.roll_up(Span.HOUR, timezone.now() + timedelta(hours=1, minutes=3))
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - start
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{RollUp.objects.count()} rows, {spent:.1f} CPU-s, {wall:.1f} s wall")


def places(name: str, password: str) -> None:
    """Add an operator of ten of the forty groups; print what pages are asked about: ids of things that he sees, too."""
    from apps.access.models import Grant, Role
    from apps.accounts.models import User
    from apps.alerts.models import Alert, Incident
    from apps.core.writes import turn
    from apps.groups.models import Group

    groups = list(Group.objects.filter(name__startswith="Site ").order_by("name")[:10])
    with turn():
        user = User.objects.create_user(name, password=password)
        role = Role.objects.get(name="operator")
        Grant.objects.bulk_create([Grant(user=user, role=role, group=group) for group in groups])
    incident = Incident.objects.filter(component__group__in=groups).order_by("pk").last()
    if incident is None or incident.component is None:
        raise SystemExit("there are no incidents")
    alert = Alert.objects.filter(incident=incident).order_by("pk").last()
    newest = Alert.objects.order_by("pk").values_list("pk", flat=True).last() or 0
    found = {
        "group": groups[3].pk,
        "component": incident.component_id,
        "incident": incident.pk,
        "alert": alert and alert.pk,
        "address": alert and alert.address,
        "before": newest // 2,
    }
    print(json.dumps(found))


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


def received() -> None:
    """Say what is stored and what was counted."""
    from apps.alerts.models import Alert, Counter

    rows = Alert.objects.filter(source="snmp-trap")
    print(json.dumps({**Counter.values(), "rows": rows.count(), "matched": rows.matched().count()}))


if __name__ == "__main__":
    main(*sys.argv[1:])

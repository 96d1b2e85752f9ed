"""A small fleet in two halves that must not see each other, and everybody who asks it something.

All that belongs to a half is called by its word; who belongs to the other half must never read that word.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from django.core.cache import cache
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from apps.access.models import AllowedAddress, ApiToken, Grant, Role, SignInRule
from apps.access.services import tokens
from apps.accounts.models import Team, User
from apps.alerts.models import Alert, AlertDefinition, EventSubscription, Farewell, Incident
from apps.alerts.services import Arrival, catalogue, ingest
from apps.components.models import Component, Credential, ManagementInterface, SuspendPeriod
from apps.control.consoles import transcripts
from apps.control.models import ConsoleSession, RemoteBatch
from apps.core import audit
from apps.core.actors import Actor, ActorKind
from apps.core.models import AuditEntry, Job, JobState, JobStep, StepState
from apps.core.phrases import Phrase
from apps.groups.models import Group
from apps.monitoring import layouts
from apps.monitoring.models import ExcludedPort, InventoryChange, Limit, Liveness, LoggedEntry, Neighbour, Sensor
from apps.monitoring.services import inventory, polling
from apps.system.models import SupportBundle
from tests.factories import (
    make_component,
    make_credential,
    make_group,
    make_interface,
    make_remote_batch,
    make_suspend_period,
    make_user,
    ship_definitions,
)

AMBER, VIOLET = "zq-amber", "zq-violet"


@dataclass
class Half:
    """One half of the fleet."""

    word: str
    group: Group
    component: Component
    interface: ManagementInterface
    sensor: Sensor
    credential: Credential
    period: SuspendPeriod
    batch: RemoteBatch
    alert: Alert
    incident: Incident
    subscription: EventSubscription
    job: Job
    excluded: ExcludedPort
    neighbour: Neighbour
    liveness: Liveness
    entry: LoggedEntry
    change: InventoryChange
    limit: Limit
    console: ConsoleSession


@dataclass
class World:
    """Both halves, what belongs to the whole portal, and who asks."""

    amber: Half
    violet: Half
    definition: AlertDefinition
    role: Role
    team: Team
    grant: Grant
    address: AllowedAddress
    token: ApiToken
    rule: SignInRule
    bundle: SupportBundle
    farewell: Farewell
    users: Mapping[str, User]
    secrets: Mapping[str, str]

    def client(self, asker: str) -> Client:
        """Give somebody's way to ask, from a browser or from a program."""
        if asker in self.secrets:
            return Client(headers={"Authorization": f"Bearer {self.secrets[asker]}"})
        client = Client()
        if asker in self.users:
            client.force_login(self.users[asker])
        return client


def build() -> World:
    """Make the world; its rows are left to the transaction around it."""
    ship_definitions()
    admin = make_user("administrator", username="administrator", is_staff=True)
    actor = Actor(ActorKind.USER, admin.username, admin)
    amber, violet = half(AMBER, actor), half(VIOLET, actor)
    users = {
        "viewer": make_user("viewer", amber.group, username="viewer", is_staff=True),
        "stranger": make_user("operator", violet.group, username="stranger", is_staff=True),
        "operator": make_user("operator", amber.group, username="operator", is_staff=True),
        "administrator": admin,
        "chief": make_user("administrator", amber.group, username="chief", is_staff=True),
    }
    reading = tokens.create(admin, "reads", actor, limits=tokens.Limits(read_only=True))
    expired = tokens.create(admin, "expired", actor)
    ApiToken.objects.filter(pk=expired.token.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    team = Team.objects.create(name="Night shift")
    team.members.add(users["viewer"])
    role = Role.objects.create(name="Night watch", permissions=["view"])
    job = Job.objects.create(kind="support-bundle", created_by=admin, created_by_name="administrator", state="done")
    return World(
        amber=amber,
        violet=violet,
        definition=AlertDefinition.objects.get(key="linkDown"),
        role=role,
        team=team,
        grant=Grant.objects.create(team=team, role=role, group=amber.group),
        address=AllowedAddress.objects.create(network="192.0.2.0/24"),
        token=tokens.create(admin, "spare", actor).token,
        rule=SignInRule.objects.create(user=users["viewer"], networks=["127.0.0.0/8"]),
        farewell=Farewell.objects.create(
            name="gone", driver="ilo", address="192.0.2.9", uri="/x", context="esm-x", login={}
        ),
        bundle=SupportBundle.objects.create(job=job, name="bundle.zip", size=3, content=b"zip"),
        users=users,
        secrets={"read-only token": reading.secret, "expired token": expired.secret},
    )


def forget_the_past() -> None:
    """Have this process forget what it remembers of rows of another test."""
    cache.clear()
    layouts.forget()
    catalogue.forget()


def half(word: str, actor: Actor, parent: Group | None = None) -> Half:
    """Make one half: a device that was polled, has alerts, a job, a suspend period and the rest."""
    group = make_group(word, parent)
    credential = make_credential("password", group, name=f"{word} login")
    component = make_component(f"{word} server", group, alias=f"{word} alias", location=f"{word} rack")
    interface = make_interface(
        component,
        polled=False,
        driver="fake",
        credential=credential,
        parameters={"script": "ailing", "sensors": 2},
        address=f"{word}.example.com",
    )
    for _contact in range(2):
        polling.poll([interface.pk])
    inventory.read([interface.pk])
    now = timezone.now()
    liveness = Liveness.objects.create(component=component, address=interface.address, answers=False, since=now)
    definition = AlertDefinition.objects.get(key="linkDown")
    told = {"address": "192.0.2.9", "object": f"{word} port", "trap_oid": "1.3.6.1.6.3.1.1.5.3"}
    arrival = Arrival("snmp-trap", now, definition, component, **told)
    (alert,) = ingest([arrival])
    title = Phrase(f"{word} job")
    job = Job.objects.create(
        kind="check", title=title, created_by_name="somebody", state=JobState.WAITING, total=1, created_by=None
    )
    about = {"component": component.pk, "interface": interface.pk, "group": group.pk}
    JobStep.objects.create(job=job, target=f"{word} server", state=StepState.WAITING, **about)
    audit.record(
        replace(actor, name=f"{word} chief"), "component.change", component, after={"location": f"{word} rack"}
    )
    neighbour = Neighbour.objects.filter(interface=interface).first() or Neighbour.objects.create(
        interface=interface, local_port="1", chassis_id="c", chassis_id_kind="local", port_id="p", port_id_kind="local"
    )
    Neighbour.objects.filter(pk=neighbour.pk).update(system_name=f"{word} switch")
    LoggedEntry.objects.filter(interface=interface).update(source=f"{word} fan")
    incident = alert.incident
    assert incident is not None
    return Half(
        word=word,
        group=group,
        component=component,
        interface=interface,
        sensor=Sensor.objects.filter(interface=interface).order_by("pk")[0],
        credential=credential,
        # At whatever time of the day this runs, it is not in force.
        period=make_suspend_period(
            component, name=f"{word} pause", begins=(now + timedelta(hours=6)).time().replace(second=0, microsecond=0)
        ),
        batch=make_remote_batch(component, name=f"{word} batch", owner=actor.user, owner_name=f"{word} chief"),
        alert=alert,
        incident=incident,
        subscription=EventSubscription.objects.create(
            interface=interface, state="active", context=f"esm-{word}", tests=True, others=[f"{word}.example.net"]
        ),
        job=job,
        excluded=ExcludedPort.objects.create(
            component=component, mac_address="02:00:00:00:00:01", port_name=f"{word} port"
        ),
        neighbour=neighbour,
        liveness=liveness,
        entry=LoggedEntry.objects.filter(interface=interface)[0],
        change=InventoryChange.objects.create(
            interface=interface, at=now, change="gone", kind="storage", key="drive.1", name=f"{word} drive", words=""
        ),
        limit=Limit.objects.create(interface=interface, key="storage.1", upper_warning=10.0),
        console=_console(interface, word),
    )


def _console(interface: ManagementInterface, word: str) -> ConsoleSession:
    """Somebody has the console open, and the machine has said its word."""
    component = interface.component
    console = ConsoleSession.objects.create(
        component=component, interface=interface, opened_by_name=f"{word} typist", holder_name=f"{word} typist"
    )
    transcript = transcripts.Transcript(console.pk, 1000)
    transcript.write(f"{word} login: ".encode())
    transcript.close()
    return console


def rows_of(world: World, side: Half) -> Iterator[tuple[str, Model]]:
    """Give the rows that addresses speak of, by how the names of their routes begin."""
    yield from (
        ("console-", side.console),
        ("control", side.component),
        ("components:credential", side.credential),
        ("control:settings", side.component),
        ("components", side.component),
        ("component", side.component),
        ("credential", side.credential),
        ("monitoring:include-again", side.excluded),
        ("monitoring", side.component),
        ("excluded-port", side.excluded),
        ("neighbour", side.neighbour),
        ("inventory-change", side.change),
        ("alerts:incident", side.incident),
        ("alerts:test-subscription", side.subscription),
        ("alerts:forget-farewell", world.farewell),
        ("event-subscription", side.subscription),
        ("event-farewell", world.farewell),
        ("alerts", side.alert),
        ("alert-definition", world.definition),
        ("alert", side.alert),
        ("incident", side.incident),
        ("definitions", world.definition),
        ("suspend", side.period),
        ("remote_batches", side.batch),
        ("remote-batch", side.batch),
        ("jobs", side.job),
        ("job", side.job),
        ("groups", side.group),
        ("group", side.group),
        ("portal:bundle", world.bundle),
        ("support-bundle", world.bundle),
        ("access:group-rights", side.group),
        ("access:user", world.users["viewer"]),
        ("access:grant", world.grant),
        ("access:team", world.team),
        ("access:member", world.team),
        ("access:role", world.role),
        ("access:address", world.address),
        ("access:token", world.token),
        ("user", world.users["viewer"]),
        ("role", world.role),
        ("grant", world.grant),
        ("team", world.team),
        ("address", world.address),
        ("token", world.token),
        ("sign-in-rule", world.rule),
        ("access:second-factor", world.users["viewer"]),
        ("accounts:sessions-end-all", world.users["viewer"]),
        ("audit", AuditEntry.objects.filter(object_name__startswith=side.word).first()),
    )

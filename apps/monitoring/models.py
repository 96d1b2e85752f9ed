"""Readings and their history: packed rows against immutable lists of sensors, never one row per value.

Packed columns are written and read by ``apps.monitoring.packing`` only. Moments of history are whole milliseconds since
1970 (UTC): two databases compute with them alike.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.components.models import Component, ManagementInterface, Status
from apps.core.fields import PhraseField
from apps.core.phrases import Phrase
from apps.core.scoping import ScopedModel
from apps.monitoring import naming


class SensorLayout(models.Model):
    """An immutable list of sensors: what each place of a packed row measures. Equal interfaces share it."""

    digest = models.BinaryField(max_length=16, unique=True)
    sensors = models.BinaryField()  # zlib of JSON: [[key, name, quantity, unit, [four limits] or null], …]
    size = models.PositiveIntegerField()
    used_at = models.DateTimeField(default=timezone.now)  # when a writer looked it up last; old and unused ones go

    class Meta:
        verbose_name = _("sensor layout")
        verbose_name_plural = _("sensor layouts")

    def __str__(self) -> str:
        return f"{self.size} sensors"


class Sample(ScopedModel):
    """All values of one interface at one poll."""

    interface = models.ForeignKey(ManagementInterface, on_delete=models.CASCADE, related_name="samples", db_index=False)
    at = models.BigIntegerField()
    layout = models.ForeignKey(SensorLayout, on_delete=models.PROTECT, related_name="+")
    values = models.BinaryField()  # packed float32

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("sample")
        verbose_name_plural = _("samples")
        constraints = [models.UniqueConstraint(fields=["interface", "at"], name="%(app_label)s_%(class)s_once")]

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.at}"


class LastValues(ScopedModel):
    """What an interface measured last."""

    interface = models.OneToOneField(
        ManagementInterface, on_delete=models.CASCADE, primary_key=True, related_name="last_values"
    )
    layout = models.ForeignKey(SensorLayout, on_delete=models.PROTECT, related_name="+")
    values = models.BinaryField()  # packed float64
    statuses = models.TextField()  # one letter for each sensor: c, w, u, n
    whys = models.TextField(blank=True)  # JSON: {"needs two readings": [places], …}
    measured_at = models.DateTimeField()

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("last values")
        verbose_name_plural = _("last values")

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.measured_at}"


class LastPorts(ScopedModel):
    """The ports of an interface's device at its last two polls; rates are made from both when somebody looks."""

    interface = models.OneToOneField(
        ManagementInterface, on_delete=models.CASCADE, primary_key=True, related_name="last_ports"
    )
    report = models.BinaryField()
    measured_at = models.DateTimeField()
    previous = models.BinaryField(null=True)
    previous_at = models.DateTimeField(null=True)

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("last ports")
        verbose_name_plural = _("last ports")

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.measured_at}"


class Neighbour(ScopedModel):
    """Who is, or was, at the other end of a cable, by what the device heard (LLDP); written only when that changes."""

    interface = models.ForeignKey(
        ManagementInterface,
        verbose_name=_("interface"),
        on_delete=models.CASCADE,
        related_name="neighbours",
        db_index=False,
    )
    local_port = models.CharField(_("local port"), max_length=200)
    port_index = models.BigIntegerField(_("number of the local port"), null=True, blank=True)
    chassis_id = models.CharField(_("chassis"), max_length=255)
    chassis_id_kind = models.CharField(_("kind of chassis identifier"), max_length=20)
    port_id = models.CharField(_("port"), max_length=255)
    port_id_kind = models.CharField(_("kind of port identifier"), max_length=20)
    port_description = models.CharField(_("description of the port"), max_length=255, blank=True)
    system_name = models.CharField(_("name"), max_length=255, blank=True)
    system_description = models.CharField(_("description"), max_length=1000, blank=True)
    capabilities = models.JSONField(_("capabilities"), default=list)
    addresses = models.JSONField(_("addresses"), default=list)
    since = models.DateTimeField(_("since"), default=timezone.now)
    gone_at = models.DateTimeField(_("gone since"), null=True, blank=True)

    scope_path = "interface__component__group"

    class Meta:
        ordering = ["pk"]
        verbose_name = _("neighbour")
        verbose_name_plural = _("neighbours")
        indexes = [models.Index(fields=["chassis_id", "port_id"], name="monitoring_neighbour_far_end")]
        constraints = [
            models.UniqueConstraint(
                fields=["interface", "local_port", "chassis_id", "port_id"], name="%(app_label)s_%(class)s_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.local_port}: {self.label}"

    @property
    def label(self) -> str:
        """Give what the neighbour is called: by its name, else its address, else its chassis."""
        return self.system_name or next(iter(self.addresses), "") or self.chassis_id

    @property
    def port_label(self) -> str:
        """Give what the neighbour's port is called: a name, where it told one, and no address."""
        named = self.port_id_kind not in ("mac-address", "local", "network-address")
        return (self.port_id if named else self.port_description) or self.port_description or self.port_id


class ExcludedPort(ScopedModel):
    """A network port that does not count in the status of its component, by its MAC address.

    Without a name it stands for every port with that address: the guide's file knows addresses only.
    """

    component = models.ForeignKey(
        Component, verbose_name=_("component"), on_delete=models.CASCADE, related_name="excluded_ports", db_index=False
    )
    mac_address = models.CharField(_("MAC address"), max_length=17)
    port_name = models.CharField(_("port"), max_length=200, blank=True)
    excluded_at = models.DateTimeField(_("excluded"), default=timezone.now, editable=False)

    scope_path = "component__group"

    class Meta:
        ordering = ["component__name", "mac_address", "port_name"]
        verbose_name = _("excluded port")
        verbose_name_plural = _("excluded ports")
        constraints = [
            models.UniqueConstraint(
                fields=["component", "mac_address", "port_name"], name="%(app_label)s_%(class)s_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.port_name} {self.mac_address}".strip()


class LastStates(ScopedModel):
    """What the parts of an interface's device said of themselves last, each with the time it began."""

    interface = models.OneToOneField(
        ManagementInterface, on_delete=models.CASCADE, primary_key=True, related_name="last_states"
    )
    states = models.TextField()  # JSON: [[key, name, kind, [words], status, told_at, since], …], times since 1970
    measured_at = models.DateTimeField()

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("last states")
        verbose_name_plural = _("last states")

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.measured_at}"


class LastPower(ScopedModel):
    """What a power meter said last besides the watts, which are a reading: its own extremes, and the cap."""

    interface = models.OneToOneField(
        ManagementInterface, on_delete=models.CASCADE, primary_key=True, related_name="last_power"
    )
    minimum = models.FloatField(null=True)
    average = models.FloatField(null=True)
    maximum = models.FloatField(null=True)
    seconds = models.FloatField(null=True)  # that the three are over
    cap = models.FloatField(null=True)  # NULL: there is none
    throttled = models.BooleanField(null=True)  # NULL: not told
    told_at = models.DateTimeField()

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("last power")
        verbose_name_plural = _("last power")

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.told_at}"


class Span(models.TextChoices):
    """How much time one roll-up covers."""

    HOUR = "hour", _("Hour")
    DAY = "day", _("Day")


class RollUp(ScopedModel):
    """Minimum, mean, maximum and number of values of each sensor of an interface over an hour or a day."""

    interface = models.ForeignKey(
        ManagementInterface, on_delete=models.CASCADE, related_name="roll_ups", db_index=False
    )
    span = models.CharField(max_length=4, choices=Span)
    at = models.BigIntegerField()  # where the span begins
    layout = models.ForeignKey(SensorLayout, on_delete=models.PROTECT, related_name="+")
    values = models.BinaryField()  # packed float32, four rows: min, mean, max, count

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("roll-up")
        verbose_name_plural = _("roll-ups")
        constraints = [
            models.UniqueConstraint(fields=["interface", "span", "at"], name="%(app_label)s_%(class)s_once"),
            models.CheckConstraint(condition=Q(span__in=Span.values), name="%(app_label)s_%(class)s_known_span"),
        ]

    def __str__(self) -> str:
        return f"{self.interface_id} {self.span} @ {self.at}"


class RollUpProgress(models.Model):
    """How far the roll-ups of a span have come: everything that ended by then is done."""

    span = models.CharField(max_length=4, choices=Span, primary_key=True)
    until = models.BigIntegerField()

    class Meta:
        verbose_name = _("roll-up progress")
        verbose_name_plural = _("roll-up progress")

    def __str__(self) -> str:
        return f"{self.span} until {self.until}"


class FleetQuantity(models.TextChoices):
    """What is told of a whole fleet: one value for each component."""

    CPU = "cpu", _("CPU load")  # %
    MEMORY = "memory", _("Memory")  # %
    DISK = "disk", _("Fullest disk")  # %
    TEMPERATURE = "temperature", _("Inlet temperature")  # °C
    POWER = "power", _("Power")  # W
    TRAFFIC = "traffic", _("Busiest port")  # bit/s


class FleetSpan(models.TextChoices):
    """How much time one row of the fleet covers; a sample is one moment."""

    SAMPLE = "sample", _("Sample")
    HOUR = "hour", _("Hour")
    DAY = "day", _("Day")
    WEEK = "week", _("Week")


class FleetValues(models.Model):
    """One quantity of many components over one span: the roll-ups turned round, so that a fleet is read by few rows.

    ``part`` is the component's id divided by a number; the reader picks the components that somebody may see.
    """

    span = models.CharField(max_length=6, choices=FleetSpan)
    quantity = models.CharField(max_length=12, choices=FleetQuantity)
    at = models.BigIntegerField()
    part = models.PositiveIntegerField()
    components = models.BinaryField()  # packed ids
    values = models.BinaryField()  # packed float32; of a sample one row, else four: min, mean, max, count

    class Meta:
        verbose_name = _("values of the fleet")
        verbose_name_plural = _("values of the fleet")
        constraints = [
            models.UniqueConstraint(fields=["span", "quantity", "at", "part"], name="%(app_label)s_%(class)s_once"),
            models.CheckConstraint(condition=Q(span__in=FleetSpan.values), name="%(app_label)s_%(class)s_known_span"),
            models.CheckConstraint(
                condition=Q(quantity__in=FleetQuantity.values), name="%(app_label)s_%(class)s_known_quantity"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.span} @ {self.at}"


class Sensor(ScopedModel):
    """A measuring point that was seen, with the status it changed to last; written when it is new or changes only."""

    interface = models.ForeignKey(
        ManagementInterface,
        verbose_name=_("interface"),
        on_delete=models.CASCADE,
        related_name="sensors",
        db_index=False,
    )
    key = models.CharField(_("key"), max_length=200)
    name = models.CharField(_("name"), max_length=300)
    quantity = models.CharField(_("quantity"), max_length=20)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status)
    since = models.DateTimeField(_("since"), default=timezone.now)
    gone_at = models.DateTimeField(_("gone since"), null=True, blank=True)  # when the device stopped listing it

    scope_path = "interface__component__group"

    class Meta:
        ordering = ["pk"]
        verbose_name = _("sensor")
        verbose_name_plural = _("sensors")
        constraints = [
            models.UniqueConstraint(fields=["interface", "key"], name="%(app_label)s_%(class)s_once"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="%(app_label)s_%(class)s_known_status"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """Give the name in the reader's language."""
        return naming.label(self.name, self.quantity)


class Limit(ScopedModel):
    """A user's own thresholds of one sensor; they stand in place of the device's. NULL is "no limit", never 0."""

    interface = models.ForeignKey(
        ManagementInterface,
        verbose_name=_("interface"),
        on_delete=models.CASCADE,
        related_name="limits",
        db_index=False,
    )
    key = models.CharField(_("key"), max_length=200)
    lower_critical = models.FloatField(_("lower critical"), null=True, blank=True)
    lower_warning = models.FloatField(_("lower warning"), null=True, blank=True)
    upper_warning = models.FloatField(_("upper warning"), null=True, blank=True)
    upper_critical = models.FloatField(_("upper critical"), null=True, blank=True)

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        constraints = [models.UniqueConstraint(fields=["interface", "key"], name="%(app_label)s_%(class)s_once")]

    def __str__(self) -> str:
        return self.key


class Liveness(ScopedModel):
    """Whether an address of a component answers ping; written when that changes, not at every sweep."""

    component = models.ForeignKey(
        Component, verbose_name=_("component"), on_delete=models.CASCADE, related_name="liveness", db_index=False
    )
    address = models.CharField(_("address"), max_length=253)
    answers = models.BooleanField(_("answers"))
    since = models.DateTimeField(_("since"))  # since when it answers, or is silent
    lost = models.PositiveIntegerField(
        _("lost"), default=0
    )  # sweeps in a row without an answer, counted up to the retry count
    ever_answered = models.BooleanField(_("ever answered"), default=False)
    access_lost_at = models.DateTimeField(
        _("access lost since"), null=True, blank=True
    )  # told as lost, not yet as recovered

    scope_path = "component__group"

    class Meta:
        verbose_name = _("liveness")
        verbose_name_plural = _("liveness")
        constraints = [models.UniqueConstraint(fields=["component", "address"], name="%(app_label)s_%(class)s_once")]

    def __str__(self) -> str:
        return f"{self.address}: {self.answers}"


class LogPlace(ScopedModel):
    """How far the event log of an interface's device was read, and how that went."""

    interface = models.OneToOneField(
        ManagementInterface, on_delete=models.CASCADE, primary_key=True, related_name="log_place"
    )
    way = models.CharField(max_length=320, blank=True)  # driver, address and port by which it was read
    place = models.JSONField(default=dict)  # the driver's own; the next look begins there
    looks = models.PositiveIntegerField(default=0)  # that were kept: who began before the last of them keeps nothing
    filled = models.FloatField(null=True)  # in %, where the device tells
    wraps = models.BooleanField(default=False)
    asked_at = models.DateTimeField(null=True)  # whatever came of it; None: the next poll looks
    read_at = models.DateTimeField(null=True)
    error = PhraseField(default=Phrase, blank=True)

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("place in an event log")
        verbose_name_plural = _("places in event logs")

    def __str__(self) -> str:
        return f"{self.interface_id} @ {self.read_at}"


class LoggedEntry(ScopedModel):
    """One entry of an event log that a device keeps by itself; it stays when the device's own log is emptied."""

    interface = models.ForeignKey(
        ManagementInterface,
        verbose_name=_("interface"),
        on_delete=models.CASCADE,
        related_name="logged_entries",
        db_index=False,
    )
    key = models.CharField(_("number in the device"), max_length=200)
    at = models.DateTimeField(_("occurred"), null=True, blank=True)  # None: the device had no clock yet
    placed_at = models.DateTimeField(_("time"))  # by which it stands among others: its own, else that of its neighbour
    read_at = models.DateTimeField(_("read"))
    status = models.CharField(_("status"), max_length=10, choices=Status)
    asserted = models.BooleanField(_("came"), default=True)  # False: what it tells of is over
    source = models.CharField(_("source"), max_length=200, blank=True)
    text = PhraseField(_("text"))
    raw = models.TextField(_("as the device wrote it"), blank=True)
    cleared_at = models.DateTimeField(_("cleared"), null=True, blank=True)  # when the log was found emptied of it

    scope_path = "interface__component__group"

    class Meta:
        ordering = ["-placed_at", "-pk"]
        verbose_name = _("entry of an event log")
        verbose_name_plural = _("entries of event logs")
        indexes = [models.Index(fields=["interface", "-placed_at", "-id"], name="monitoring_entry_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["interface", "key"], condition=Q(cleared_at=None), name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="%(app_label)s_%(class)s_known_status"),
        ]

    def __str__(self) -> str:
        return str(self.text)

    @property
    def severity(self) -> str:
        """Give how bad it is in the words of alerts: what is well and begins is information, what ends is normal."""
        return "information" if self.asserted and self.status == Status.NORMAL else self.status

"""What monitoring registers with others: its options, and its tabs and panels on the component's page."""

from django.utils.translation import gettext_lazy as _

from apps.components import extensions
from apps.components.extensions import OVERVIEW, Panel, Tab
from apps.core import jobs, menu
from apps.core.options import Option, declare
from apps.drivers.contract import Capability
from apps.monitoring import panels, tasks
from apps.monitoring.panels import event_log, history, inventory_changes, parts, power, settings, statistics, storage
from apps.monitoring.services import limits_of_many, liveness, port_exclusion, states

_MONITORING = _("Monitoring")
_RETENTION = _("Retention")

declare(
    Option(
        "MONITORING_INTERVAL",
        int,
        600,
        _("Monitoring interval"),
        _("How often status and readings are collected in the background."),
        section=_MONITORING,
        minimum=60,
        maximum=86400,
        unit=_("seconds"),
    ),
    Option(
        "MONITORING_WSMAN_CHECK",
        bool,
        True,
        _("Monitor through WS-Man"),
        _("When this is off, WS-Man interfaces are not polled in the background."),
        section=_MONITORING,
    ),
    Option(
        "loginOtherPcPollingTime",
        int,
        60,
        _("Interval for UPS, network and other computers while somebody is signed in"),
        section=_MONITORING,
        minimum=60,
        maximum=3600,
        unit=_("seconds"),
    ),
    Option(
        "logoutOtherPcPollingTime",
        int,
        600,
        _("Interval for UPS, network and other computers while nobody is signed in"),
        _("0: they are not polled as long as nobody is signed in."),
        section=_MONITORING,
        minimum=60,
        maximum=86400,
        also=(0,),
        unit=_("seconds"),
    ),
    Option(
        "access_lost_retries",
        int,
        3,
        _("Sweeps without an answer before access is lost"),
        _("All addresses are pinged once a minute; so many times in a row without an answer raise an alert."),
        section=_MONITORING,
        minimum=1,
        maximum=60,
    ),
    Option(
        "event_log_interval",
        int,
        600,
        _("Interval for the event logs of devices"),
        _(
            "A log is read with a poll, so never more often than that. It is also read after an operation, and when "
            "somebody collects now. 0: only then."
        ),
        section=_MONITORING,
        minimum=60,
        maximum=86400,
        also=(0,),
        unit=_("seconds"),
    ),
    Option(
        "poll_concurrency",
        int,
        200,
        _("Devices polled at once by one process"),
        section=_MONITORING,
        minimum=1,
        maximum=1000,
    ),
    Option(
        "sample_retention",
        int,
        7,
        _("Keep every reading"),
        section=_RETENTION,
        minimum=2,
        maximum=90,
        unit=_("days"),
    ),
    Option(
        "hourly_retention",
        int,
        100,
        _("Keep hourly roll-ups"),
        section=_RETENTION,
        minimum=7,
        maximum=1000,
        unit=_("days"),
    ),
    Option(
        "daily_retention",
        int,
        730,
        _("Keep daily roll-ups"),
        section=_RETENTION,
        minimum=30,
        maximum=7300,
        unit=_("days"),
    ),
    Option(
        "event_log_retention",
        int,
        730,
        _("Keep entries of event logs"),
        _("What a device still has in its own log is not read again. 0: as long as their number allows."),
        section=_RETENTION,
        minimum=7,
        maximum=7300,
        also=(0,),
        unit=_("days"),
    ),
    Option(
        "inventory_change_retention",
        int,
        730,
        _("Keep inventory changes"),
        _("Which parts appeared, went or changed. 0: forever."),
        section=_RETENTION,
        minimum=7,
        maximum=7300,
        also=(0,),
        unit=_("days"),
    ),
    Option(
        "event_log_limit",
        int,
        5000,
        _("Most entries of event logs for each interface"),
        _("The oldest beyond it are removed."),
        section=_RETENTION,
        minimum=100,
        maximum=100_000,
    ),
)

jobs.kinds.add(limits_of_many.KIND, jobs.JobKind(limits_of_many.KIND, _("Limits of sensors"), tasks.start_set_limits))
menu.register(
    menu.MenuEntry(
        label=_("Statistics"), url_name="monitoring:statistics", icon="report-analytics", order=40, permission="view"
    )
)

menu.register(
    menu.MenuEntry(
        label=_("Inventory changes"), url_name="monitoring:inventory-changes", icon="box", order=25, permission="view"
    )
)

for _tab in (
    Tab("sensors", _("Sensors"), 10, Capability.SENSORS, panels.count_sensors),
    Tab("ports", _("Ports"), 20, Capability.PORTS, parts.count_ports),
    Tab("storage", _("Storage"), 25, Capability.SENSORS, panels.count_disks, panels.has_disks),
    Tab("power", _("Power"), 28, Capability.POWER_METER, offered=power.has_power),
    Tab("statistics", _("Statistics"), 30, Capability.SENSORS),
    Tab(inventory_changes.KIND, _("Inventory changes"), 42, Capability.INVENTORY),
    Tab(event_log.KIND, _("Event log"), 45, Capability.EVENT_LOG, event_log.count_entries),
):
    extensions.tabs.add(_tab.name, _tab)

_SENSORS, _PORTS, _STATES = Capability.SENSORS, Capability.PORTS, Capability.STATES
for _panel in (
    Panel("charts", OVERVIEW, "monitoring/charts.html", panels.overview_charts, 0, "c12", _SENSORS, live=False),
    Panel("ups", OVERVIEW, "monitoring/ups.html", parts.ups, 5, "c12", Capability.UPS),
    Panel("sensors", OVERVIEW, "monitoring/sensors.html", panels.first_sensors, 10, "c8 x-c12", _SENSORS),
    Panel("disks", OVERVIEW, "monitoring/disks.html", panels.disks, 20, "c4 x-c12", _SENSORS),
    Panel("ports", OVERVIEW, "monitoring/ports.html", parts.first_ports, 30, "c8 x-c12", _PORTS),
    Panel("states", OVERVIEW, "monitoring/states.html", parts.first_states, 15, "c4 x-c12", _STATES),
    Panel("pings", OVERVIEW, "monitoring/pings.html", panels.pinged, 80, "c3 x-c6"),
    Panel("chart", "sensors", "monitoring/charts.html", panels.sensor_chart, 0, "c12", _SENSORS, live=False),
    Panel("all-sensors", "sensors", "monitoring/all_sensors.html", panels.all_sensors, 10, "c12", _SENSORS),
    Panel(
        "statistics",
        "statistics",
        "monitoring/component_statistics.html",
        statistics.statistics,
        0,
        "c12",
        _SENSORS,
        live=False,
    ),
    Panel("storage", "storage", "monitoring/storage.html", storage.storage, 10, "c12", _SENSORS),
    Panel("power-chart", "power", "monitoring/charts.html", power.chart, 0, "c12", live=False),
    Panel("power-drawn", "power", "monitoring/power.html", power.numbers, 10, "c12"),
    Panel("availability", "history", "monitoring/availability.html", history.history, 0),
    Panel("watching", "settings", "monitoring/watching.html", settings.watching, 20, "c5 x-c12"),
    Panel("own-limits", "settings", "monitoring/own_limits.html", settings.own_limits, 30, "c7 x-c12"),
    Panel("all-states", "sensors", "monitoring/states.html", parts.all_states, 20, "c12", _STATES),
    Panel(
        "newest-changes",
        "inventory",
        "monitoring/newest_changes.html",
        inventory_changes.newest_changes,
        20,
        "c4 x-c12",
    ),
    Panel(
        "inventory-changes",
        inventory_changes.KIND,
        "monitoring/inventory_changes.html",
        inventory_changes.all_changes,
        10,
    ),
    Panel("event-log", event_log.KIND, "monitoring/event_log.html", event_log.event_logs, 10, "c12"),
    Panel("all-ports", "ports", "monitoring/all_ports.html", parts.all_ports, 10, "c12", _PORTS),
):
    extensions.panels.add(_panel.name, _panel)

extensions.event_sources.add(event_log.KIND, event_log.SOURCE)
extensions.event_sources.add(inventory_changes.KIND, inventory_changes.SOURCE)
extensions.starting.add("monitoring", states.starting)
extensions.figures.add("monitoring", panels.figures)
extensions.join_hooks.add("excluded-ports", port_exclusion.take_over)
extensions.split_hooks.add("excluded-ports", port_exclusion.part)
extensions.join_hooks.add("liveness", liveness.take_over)
extensions.split_hooks.add("liveness", liveness.part)

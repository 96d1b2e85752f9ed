"""What control registers with others: job kinds, words of the audit, and its buttons."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.components import extensions
from apps.control import batch_views, hints, panels, presence, tasks
from apps.control.consoles import transcripts
from apps.control.models import ConsoleSession, RemoteBatch
from apps.control.operations import BOOT, CAP, CLEAR_LOG, COLLECT, LAMP, OPERATIONS, POWER, WAKE
from apps.control.services.remote_batches import PLANNING
from apps.control.settings import pages, services
from apps.core import audit_words, jobs, objects, schedules
from apps.core.models import StepCode
from apps.drivers.contract import Capability
from apps.groups.services import occupants

for _operation in OPERATIONS.values():
    if _operation.name != COLLECT:
        jobs.kinds.add(
            _operation.name,
            jobs.JobKind(_operation.name, _operation.label, tasks.start_operation, changes_devices=True),
        )

for _kind in (
    jobs.JobKind(services.READ, gettext_lazy("Reading settings"), tasks.start_settings),
    jobs.JobKind(
        services.WRITE,
        gettext_lazy("Changing settings"),
        tasks.start_settings,
        changes_devices=True,
        ended=services.forget,
    ),
    jobs.JobKind(services.RESTART, gettext_lazy("Restarting a controller"), tasks.start_settings, changes_devices=True),
    jobs.JobKind(
        services.RESET, gettext_lazy("Initializing the configuration"), tasks.start_settings, changes_devices=True
    ),
):
    jobs.kinds.add(_kind.name, _kind)

for _word, _label in {
    POWER: gettext_lazy("Power switched"),
    BOOT: gettext_lazy("Boot device chosen"),
    LAMP: gettext_lazy("Locator lamp switched"),
    CAP: gettext_lazy("Power cap set"),
    CLEAR_LOG: gettext_lazy("Event log of devices cleared"),
    WAKE: gettext_lazy("Woken over the network"),
    services.READ: gettext_lazy("Settings of devices read"),
    services.WRITE: gettext_lazy("Settings of devices changed"),
    services.RESET: gettext_lazy("Configuration of a device initialized"),
    services.RESTART: gettext_lazy("Controller restarted"),
}.items():
    audit_words.acts.add(f"job.{_word}", _label)
audit_words.families.add("console", pgettext_lazy("serial line", "Consoles"))


def _console(pk: int, asks: Any) -> objects.Link | None:
    """Lead from a console in the audit to what the machine said on it; without that, to the page of consoles."""
    found = ConsoleSession.objects.visible_to(asks, "console").filter(pk=pk).select_related("component").first()
    if found is None:
        return None
    kept = reverse("control:console-transcript", args=[pk]) if transcripts.size(pk) else ""
    return objects.Link(str(found), kept or reverse("control:console", args=[found.component_id]))


objects.links.add("control.consolesession", _console)
for _word, _label in {
    "open": gettext_lazy("Console opened"),
    "close": gettext_lazy("Console closed"),
    "take_over": gettext_lazy("Keyboard of a console taken over"),
    "transcript": gettext_lazy("Transcript of a console fetched"),
    "own_page": gettext_lazy("Own page of a controller visited"),
}.items():
    audit_words.acts.add(f"console.{_word}", _label)
audit_words.fields.add("holder", pgettext_lazy("console", "Holder"))
audit_words.fields.add("transcript", gettext_lazy("Transcript"))
audit_words.fields.add("end", gettext_lazy("How it ended"))
audit_words.fields.add("taken", gettext_lazy("Taken from another program"))
audit_words.fields.add("seconds", gettext_lazy("Seconds"))
audit_words.acts.add("settings.write", gettext_lazy("Settings written to a device"))
audit_words.families.add("settings", gettext_lazy("Settings of devices"))
audit_words.fields.add("settings", gettext_lazy("Settings"))
audit_words.fields.add("outcome", gettext_lazy("Outcome"))
audit_words.values.add("outcome", {"done": gettext_lazy("Done"), **dict(StepCode.choices)})
audit_words.fields.add("restart", gettext_lazy("Restart"))
audit_words.fields.add("order", pgettext_lazy("operation", "Order"))
audit_words.fields.add("consequences", gettext_lazy("What it touched"))

extensions.needs.add("power", hints.lacks_of)
for _word, _label in {
    "create": gettext_lazy("Remote batch planned"),
    "change": gettext_lazy("Remote batch changed"),
    "remove": gettext_lazy("Remote batch removed"),
    "pause": gettext_lazy("Remote batch paused"),
    "resume": gettext_lazy("Remote batch resumed"),
    "run": gettext_lazy("Remote batch run"),
    "miss": gettext_lazy("Run of a remote batch missed"),
    "refuse": gettext_lazy("Run of a remote batch refused"),
    "skip": gettext_lazy("Run of a paused remote batch left out"),
    "leave-out": gettext_lazy("Day of a remote batch left out"),
    "take-back": gettext_lazy("Day of a remote batch no longer left out"),
}.items():
    audit_words.acts.add(f"remote-batch.{_word}", _label)
audit_words.families.add("remote-batch", gettext_lazy("Remote batches"))
for _word, _label in {
    "remote_batch": gettext_lazy("Remote batch"),
    "operation": pgettext_lazy("remote batch", "Operation"),
    "arguments": gettext_lazy("Arguments"),
    "components": gettext_lazy("Components"),
    "include_subgroups": gettext_lazy("Also the groups below it"),
    "make_up": gettext_lazy("Make up for missed runs within (minutes)"),
    "expect": gettext_lazy("Expected components"),
    "at_most": gettext_lazy("Components at most"),
    "paused": pgettext_lazy("remote batch", "Paused"),
    "owner": gettext_lazy("On whose behalf"),
    "limited_by": gettext_lazy("Within the limits of"),
    "planned_for": gettext_lazy("Planned for"),
    "why": gettext_lazy("Why"),
    "job": gettext_lazy("Job"),
}.items():
    if _word not in audit_words.fields:
        audit_words.fields.add(_word, _label)


@occupants.register("remote-batches")
def names_in_group(group_id: int) -> dict[str, list[str]]:
    """Name the remote batches of a group."""
    return {"remote batches": list(RemoteBatch.objects.filter(group=group_id).values_list("name", flat=True))}


schedules.sources.add(
    "remote-batches",
    schedules.Source(
        label=gettext_lazy("Remote batches"),
        state=batch_views.ENDING,
        read=batch_views.entries,
        list_url="remote_batches:list",
        template="remote_batches/_soonest.html",
        soonest=batch_views.soonest,
        add_url="remote_batches:add",
        add_label=gettext_lazy("Remote batch"),
        add_icon="clock",
        add_permission=PLANNING,
    ),
)
extensions.lookers.add("control", presence.note)
extensions.page_acts.add("control", extensions.Act("control/_menu.html", panels.orders))
extensions.page_acts.add("console", extensions.Act("control/_console_acts.html", panels.consoles))
extensions.page_acts.add("own-page", extensions.Act("control/_own_page_act.html", panels.own_page, in_menu=True))
extensions.panel_acts.add("clear-log", extensions.PanelAct("event-log", "control/_clear_log.html", panels.clearing))
extensions.bulk_acts.add("control", extensions.BulkAct("control/_bulk.html", panels.orders_of_many))
extensions.page_acts.add("settings", extensions.Act("control/settings/_link.html", pages.link, in_menu=True))
extensions.bulk_acts.add("settings", extensions.BulkAct("control/settings/_bulk.html", pages.link_of_many))
extensions.panels.add(
    "power",
    extensions.Panel(
        "power", extensions.OVERVIEW, "control/panels/power.html", panels.power, 45, "c3 x-c6", Capability.POWER
    ),
)
extensions.panels.add(
    "remote-batches",
    extensions.Panel(
        "remote-batches", extensions.OVERVIEW, "control/panels/remote_batches.html", panels.coming, 46, "c3 x-c6"
    ),
)

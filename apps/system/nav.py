"""What system registers with others: its options and its kind of job."""

from django.utils.translation import gettext_lazy as _

from apps.core import jobs
from apps.core.options import Option, declare
from apps.system import tasks
from apps.system.bundle import orders
from apps.system.capacity.measuring import WARNING_DAYS

declare(
    Option(
        WARNING_DAYS,
        int,
        30,
        _("Warn of a full disk"),
        _("An alert is raised when the disk will be full in fewer days, or has less than 1.5 GB free. 0: never."),
        section=_("Capacity"),
        minimum=1,
        maximum=3650,
        also=(0,),
        unit=_("days"),
    ),
)
jobs.kinds.add(orders.KIND, jobs.JobKind(orders.KIND, _("Support bundle"), tasks.start_bundle))

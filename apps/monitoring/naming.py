"""What sensors are called in the reader's language: names that our drivers give are translated, a device's own stay."""

import re

from django.utils.translation import gettext, gettext_noop

from apps.core.phrases import called
from apps.drivers.contract import Quantity

_PORT = {
    "in": gettext_noop("%(port)s in"),
    "out": gettext_noop("%(port)s out"),
    "errors": gettext_noop("%(port)s errors"),
    "discards": gettext_noop("%(port)s discards"),
}
_NUMBERED_PARTS = (gettext_noop("Fan"), gettext_noop("Temperature"))
_OF_PORTS = frozenset({Quantity.TRAFFIC, Quantity.ERRORS})
_LOAD = re.compile(r"Load average (\d+) min")
LOAD = gettext_noop("Load average %(minutes)s min")


def label(name: str, quantity: str) -> str:
    """Give the name of a sensor in the active language."""
    if quantity in _OF_PORTS:
        port, _space, word = name.rpartition(" ")
        return gettext(_PORT[word]) % {"port": port} if port and word in _PORT else name
    if load := _LOAD.fullmatch(name):
        return gettext(LOAD) % {"minutes": load[1]}
    return called(name)

"""Serves pages, API and live streams: uvicorn, one process, any number of listening sockets."""

import logging
import os
import socket
import threading
import time

import uvicorn
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.core import stream
from apps.system import listening, ports
from apps.system.processes import Port

FOLLOWED_EVERY = 3.0  # seconds
GRACE = 3  # seconds that open pages get when the portal stops
WEB_DESCRIPTORS = "ESM_WEB_FDS"
log = logging.getLogger(__name__)


def web_ports() -> tuple[Port, ...]:
    """Give the two ports of the web process."""
    return (
        Port(_("Pages and API"), "tcp", settings.HTTP_PORT, "ESM_HTTP_PORT", WEB_DESCRIPTORS, option="http_port"),
        Port(
            _("Classic mode"), "tcp", settings.CLASSIC_PORT, "ESM_CLASSIC_PORT", WEB_DESCRIPTORS, option="classic_port"
        ),
    )


def listening_sockets() -> list[socket.socket]:
    """Take the sockets that the supervisor opened, or open them here. Raises ports.PortTaken."""
    handed_down = os.environ.get(WEB_DESCRIPTORS, "")
    numbers = [int(word) for word in handed_down.split(",") if word]
    if not numbers:
        binds = ports.addresses(settings.BIND)
        numbers = [fd for port in web_ports() for fd in ports.open_port(port, binds)[1]]
    return [socket.socket(fileno=number) for number in numbers]


class Server(uvicorn.Server):
    """Ends the live streams when it is told to stop, so that open pages do not use up the grace."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        stream.end_all()
        await super().shutdown(sockets)


def _follow_options() -> None:
    """Tell the supervisor what options say, whoever set them: here, on the command line, on another machine."""
    while True:
        try:
            listening.follow()
        except Exception as error:  # the database is away, or the disk full: the next time will do
            log.debug("the options of ports could not be followed: %s", error)
        finally:
            connection.close()
        time.sleep(FOLLOWED_EVERY)


def serve() -> None:
    """Serve until told to stop; who still holds a page open then has GRACE seconds."""
    config = uvicorn.Config(
        "esm.asgi:application",
        lifespan="off",
        proxy_headers=False,  # forwarded addresses are believed by our own middleware, from ESM_TRUSTED_PROXIES only
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=15,
        h11_max_incomplete_event_size=65536,
    )
    if os.environ.get(WEB_DESCRIPTORS):
        threading.Thread(target=_follow_options, name="follow-options", daemon=True).start()
    Server(config).run(sockets=listening_sockets())

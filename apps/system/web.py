"""Serves pages, API and live streams: uvicorn, one process, any number of listening sockets."""

import asyncio
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable

import uvicorn
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.core import stream
from apps.system import listening, ports
from apps.system.patience import Protocol
from apps.system.preparation import wait_for_database
from apps.system.processes import WEB_DESCRIPTORS, Port
from apps.system.tls.serving import Front, Unusable

FOLLOWED_EVERY = 3.0  # seconds
GRACE = 3  # seconds that open pages get when the portal stops
REDIRECT_DESCRIPTORS = "ESM_REDIRECT_FDS"
log = logging.getLogger(__name__)


def web_ports() -> tuple[Port, ...]:
    """Give the ports of the web process: two, and where the environment names it the one that leads to HTTPS."""
    usual = (
        Port(_("Pages and API"), "tcp", settings.HTTP_PORT, "ESM_HTTP_PORT", WEB_DESCRIPTORS, option="http_port"),
        Port(
            _("Classic mode"), "tcp", settings.CLASSIC_PORT, "ESM_CLASSIC_PORT", WEB_DESCRIPTORS, option="classic_port"
        ),
    )
    if settings.REDIRECT_PORT is None:
        return usual
    leading = Port(_("Redirect to HTTPS"), "tcp", settings.REDIRECT_PORT, "ESM_REDIRECT_PORT", REDIRECT_DESCRIPTORS)
    return (*usual, leading)


def sockets_of(descriptors: str) -> list[socket.socket]:
    """Take the sockets that the supervisor opened, or open them here. Raises ports.PortTaken."""
    numbers = [int(word) for word in os.environ.get(descriptors, "").split(",") if word]
    if not numbers:
        binds = ports.addresses(settings.BIND)
        wanted = [port for port in web_ports() if port.descriptors == descriptors]
        numbers = [fd for port in wanted for fd in ports.open_port(port, binds)[1]]
    return [socket.socket(fileno=number) for number in numbers]


class Server(uvicorn.Server):
    """Takes connections by a front of our own, which decides for each whether it is encrypted.

    It ends the live streams when it is told to stop, so that open pages do not use up the grace.
    """

    def __init__(self, config: uvicorn.Config, redirecting: list[socket.socket]) -> None:
        super().__init__(config)
        self._redirecting = redirecting
        self._front = Front(self._make_protocol)

    def _make_protocol(self, gone: Callable[[], None]) -> asyncio.Protocol:
        return Protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state, gone=gone)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections."""
        await super().startup(sockets=[])
        await self._front.start(sockets or [], self._redirecting)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._front.stop()
        stream.end_all()
        await super().shutdown([*(sockets or []), *self._redirecting])


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
        ws="websockets-sansio",
        ws_max_size=256 * 1024,
        ws_per_message_deflate=False,  # a key stroke gains nothing, and each connection would keep its dictionaries
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=15,
        h11_max_incomplete_event_size=65536,
    )
    if os.environ.get(WEB_DESCRIPTORS):
        threading.Thread(target=_follow_options, name="follow-options", daemon=True).start()
    opened, redirecting = sockets_of(WEB_DESCRIPTORS), sockets_of(REDIRECT_DESCRIPTORS)
    wait_for_database()  # it says whether passwords may come in clear
    stream.let_go()
    try:
        Server(config, redirecting).run(sockets=opened)
    except Unusable as error:
        sys.exit(f"web: {error}")

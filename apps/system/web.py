"""Serves pages, API and live streams: uvicorn, one process, any number of listening sockets."""

import os
import socket

import uvicorn
from django.conf import settings

from apps.core import stream
from apps.system import ports
from apps.system.processes import Port

GRACE = 3  # seconds that open pages get when the portal stops
WEB_DESCRIPTORS = "ESM_WEB_FDS"


def web_ports() -> tuple[Port, ...]:
    """Give the two ports of the web process."""
    return (
        Port("pages and API", "tcp", settings.HTTP_PORT, "ESM_HTTP_PORT", WEB_DESCRIPTORS),
        Port("classic mode", "tcp", settings.CLASSIC_PORT, "ESM_CLASSIC_PORT", WEB_DESCRIPTORS),
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
    Server(config).run(sockets=listening_sockets())

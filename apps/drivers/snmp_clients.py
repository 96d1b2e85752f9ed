"""One SNMP client for each event loop: its sockets and what it knows of version 3 engines serve every SNMP driver."""

import asyncio
from weakref import WeakKeyDictionary

from apps.protocols.snmp import SnmpClient

_clients: "WeakKeyDictionary[asyncio.AbstractEventLoop, SnmpClient]" = WeakKeyDictionary()


def snmp_client() -> SnmpClient:
    """Give the running loop's client, made on first use; those of loops that have ended are closed."""
    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        close_ended()
        client = _clients[loop] = SnmpClient()
    return client


def close_ended() -> None:
    """Close the clients of event loops that are closed."""
    for loop in [loop for loop in _clients if loop.is_closed()]:
        _clients.pop(loop).close()

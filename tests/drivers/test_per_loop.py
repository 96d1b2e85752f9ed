"""One client for each event loop, closed when the loop has ended."""

import asyncio

from apps.drivers.per_loop import PerLoop


class Client:
    def __init__(self) -> None:
        self.open = True

    def close(self) -> None:
        self.open = False


def test_a_loop_keeps_its_client_and_another_gets_its_own() -> None:
    client = PerLoop(Client)

    async def twice() -> tuple[Client, Client]:
        return client(), client()

    with asyncio.Runner() as one:
        first, again = one.run(twice())
        with asyncio.Runner() as other:
            second, _ = other.run(twice())
        assert first is again
        assert second is not first
        client.close_ended()
        assert (first.open, second.open) == (True, False)

"""Opens a conversation with the first server of a directory that answers."""

from collections.abc import Iterator
from contextlib import contextmanager

from apps.accounts.models import Directory
from apps.accounts.services.directories import faults, memory
from apps.accounts.services.directories.conversation import Conversation, Step
from apps.accounts.services.directories.faults import Fault
from apps.core.phrases import Phrase


@contextmanager
def talk(directory: Directory, steps: list[Step] | None = None, *, try_all: bool = False) -> Iterator[Conversation]:
    """Give the conversation, open for the length of a ``with``; raises Fault, that of the last server asked.

    Servers that were silent a moment ago are left out, unless ``try_all``.
    """
    opened, fault = None, None
    for server in directory.servers:
        if not try_all and memory.is_silent(directory, server):
            fault = fault or Fault(Phrase(faults.STILL_SILENT, {"server": server}))
            continue
        try:
            opened = Conversation(directory, server, steps).open()
        except Fault as found:
            fault = found
            memory.note_silence(directory, server)
            if not found.elsewhere:
                break
        else:
            memory.note_answer(directory, server)
            break
    if opened is None:
        raise fault or Fault(Phrase(faults.UNREACHABLE, {"server": directory.name}))
    try:
        yield opened
    finally:
        opened.close()

"""The receiver's own SNMP engine: an id for life, and how often it started (RFC 3411 §5, RFC 3414 §2.2)."""

import json
import logging
import os
from pathlib import Path

from apps.protocols.snmp.usm import ENGINE_ID_OCTETS, MOST_BOOTS, Engine

log = logging.getLogger(__name__)

FILE = "snmp-engine.json"
_FORM = b"\x80\x00\x1f\x88\x05"  # net-snmp's enterprise, then octets that somebody chose: nobody gave us a number
_CHOSEN_OCTETS = 12


def start_engine(folder: Path) -> Engine:
    """Give the engine of this start; its count is on the disk before anybody hears of it.

    It is kept beside the database, not in it: a database that comes back from a backup must not turn the count back.
    """
    path = folder / FILE
    known = _read(path)
    engine_id, boots = known or (_FORM + os.urandom(_CHOSEN_OCTETS), 0)
    engine = Engine(engine_id, min(boots + 1, MOST_BOOTS), 0)
    try:
        _write(path, engine)
    except OSError as error:
        # A count that nobody remembers would let old messages in again. Nobody ever heard of a new id.
        log.error("%s cannot be written, the SNMP engine id holds until the end: %s", path, error.strerror)
        return Engine(_FORM + os.urandom(_CHOSEN_OCTETS), 1, 0)
    if engine.boots == MOST_BOOTS:
        log.error("the SNMP engine cannot count its starts any further: remove %s and set the senders anew", path)
    return engine


def _read(path: Path) -> tuple[bytes, int] | None:
    try:
        content = json.loads(path.read_text(encoding="ascii"))
        engine_id, boots = bytes.fromhex(content["engine_id"]), int(content["boots"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.error("%s is not readable, a new SNMP engine id is made: %s", path, type(error).__name__)
        return None
    return (engine_id, boots) if len(engine_id) in ENGINE_ID_OCTETS and boots > 0 else None


def _write(path: Path, engine: Engine) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="ascii") as file:
        json.dump({"engine_id": engine.engine_id.hex(), "boots": engine.boots}, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

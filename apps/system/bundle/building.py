"""Puts a support bundle together: sections of text, each searched for secrets before it is packed."""

import io
import json
import platform
import zipfile
from collections.abc import Callable
from typing import Any

from django.utils import timezone, translation

from apps.core.version import VERSION
from apps.system.bundle import portal_sections, secrets, system_sections
from apps.system.bundle.redaction import Redactor

Section = Callable[[], Any]

STRUCTURED: tuple[tuple[str, str, Section], ...] = (
    ("versions.json", "portal, Python, libraries, machine", system_sections.versions),
    ("environment.json", "names of the environment's variables, harmless values", system_sections.environment),
    ("processes.json", "processes, what they use and how often they were started again", system_sections.processes),
    ("preflight.json", "the checks of the machine", system_sections.checks),
    ("queues.json", "broker, queues, clock", system_sections.queues),
    ("options.json", "options; secret ones only as set", portal_sections.all_options),
    ("migrations.json", "changes of the tables, done and not done", portal_sections.migrations),
    ("database.json", "size of each table", portal_sections.database),
    ("capacity.json", "the last measurement of what is stored", portal_sections.capacity),
    ("counters.json", "what there is, by state", portal_sections.counters),
)
PROSE: tuple[tuple[str, str, Section], ...] = (
    ("errors.txt", "warnings and errors of the processes, with traces", system_sections.errors),
    ("log.txt", "the last lines of the processes", system_sections.log_lines),
)


def host() -> str:
    """Give the name of this machine."""
    return platform.node() or "localhost"


def name() -> str:
    """Give a name for a bundle that is made now."""
    return f"support-{timezone.now():%Y%m%d-%H%M%S}.zip"


def build() -> bytes:
    """Make a bundle; a section that cannot be made says why in its place. English, as those who help read it."""
    redactor = Redactor(secrets.known())
    packed = io.BytesIO()
    with translation.override("en"), zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr("README.txt", _contents())
        for file, _about, section in STRUCTURED:
            text = json.dumps(_made(section), ensure_ascii=False, indent=2, default=str)
            archive.writestr(file, redactor.clean(text) + "\n")
        for file, _about, section in PROSE:
            archive.writestr(file, redactor.clean_prose(str(_made(section))) + "\n")
    return packed.getvalue()


def _made(section: Section) -> Any:
    try:
        return section()
    except Exception as error:  # a portal that is to be helped may be broken anywhere
        return {"not made": type(error).__name__}


def _contents() -> str:
    lines = [f"Support bundle of {host()}, version {VERSION}, {timezone.now():%Y-%m-%d %H:%M:%S} UTC.", ""]
    lines += [f"{file:<18} {about}" for file, about, _section in (*STRUCTURED, *PROSE)]
    lines += ["", "Passwords, communities, tokens, keys and session keys were taken out: [removed] stands there."]
    return "\n".join(lines) + "\n"

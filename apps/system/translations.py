"""Compiles the message catalogues that are newer than their binary form; plain Python, so that nothing else is needed.

Run as ``python -m apps.system.translations``; ``manage.py up`` does the same before it starts anything.
"""

import os
from pathlib import Path

import polib

CATALOGUES = Path(__file__).resolve().parent.parent.parent / "esm" / "locale"


def compile_stale(folder: Path = CATALOGUES) -> list[Path]:
    """Compile every ``.po`` file below the folder whose ``.mo`` file is missing or older; give the compiled ones."""
    compiled = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        polib.pofile(str(source)).save_as_mofile(str(partial))
        partial.replace(target)  # several processes may do this at once: each leaves a whole file
        compiled.append(target)
    return compiled


if __name__ == "__main__":
    compile_stale()

"""The files that the browser gets: as recorded, licensed, resolvable and free of addresses elsewhere."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import CommandError, call_command

from apps.portal import icons

STATIC = Path(settings.BASE_DIR) / "static"
VENDOR = STATIC / "vendor"
TEMPLATES = Path(settings.BASE_DIR) / "templates"
RECORD = json.loads((VENDOR / "VENDOR.json").read_text())
OUR_STYLES = sorted((STATIC / "css").glob("*.css"))
OUR_SCRIPTS = sorted((STATIC / "js").glob("*.js"))


@pytest.mark.parametrize("name", sorted(RECORD))
def test_a_library_is_what_its_record_says(name: str) -> None:
    entry = RECORD[name]
    assert entry["license"] in {"MIT", "0BSD", "OFL-1.1"}
    assert len((VENDOR / entry["text"]).read_text()) > 200
    if "sha256" in entry:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == entry["sha256"]


def test_every_library_has_a_record() -> None:
    files = {path.name for path in VENDOR.iterdir() if path.is_file()}
    assert files - {"VENDOR.json", "package.json", "package-lock.json"} == set(RECORD)


def test_recorded_versions_are_the_pinned_ones() -> None:
    pinned = json.loads((VENDOR / "package.json").read_text())["dependencies"]
    assert {entry["package"]: entry["version"] for entry in RECORD.values()} == pinned
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in pinned.values())


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((VENDOR / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)


def test_every_icon_in_use_is_in_the_sprite() -> None:
    in_use = icons.named_in_sources()
    assert {"server", "chevron-down"} <= icons.in_sprite()
    missing = {name: where for name, where in in_use.items() if name not in icons.in_sprite()}
    assert missing == {}, "run `manage.py sprite`"
    assert icons.in_sprite() >= icons.CHOSEN_BY_DATA


def test_the_sprite_refuses_an_icon_that_the_package_does_not_have(tmp_path: Path) -> None:
    before = (VENDOR / "icons.svg").read_bytes()
    (tmp_path / "@tabler" / "icons" / "icons" / "outline").mkdir(parents=True)
    with pytest.raises(CommandError, match="which the icon package does not have"):
        call_command("sprite", node_modules=tmp_path)
    assert (VENDOR / "icons.svg").read_bytes() == before


def test_the_vendor_command_refuses_another_version_than_the_pinned(tmp_path: Path) -> None:
    folder = tmp_path / "htmx.org"
    folder.mkdir()
    (folder / "package.json").write_text('{"version": "9.9.9"}')
    before = (VENDOR / "VENDOR.json").read_bytes()
    with pytest.raises(CommandError, match=r"htmx\.org is 9\.9\.9, but package\.json pins"):
        call_command("vendor", node_modules=tmp_path)
    assert (VENDOR / "VENDOR.json").read_bytes() == before


def test_style_sheets_refer_only_to_files_that_get_hashed_names(tmp_path: Path, settings) -> None:
    settings.STATIC_ROOT = str(tmp_path)
    storage = ManifestStaticFilesStorage(location=str(tmp_path))
    for path in [*OUR_STYLES, *VENDOR.glob("*.woff2")]:
        with path.open("rb") as stream:
            storage.save(str(path.relative_to(STATIC)), stream)
    paths = {str(path.relative_to(STATIC)): (storage, str(path.relative_to(STATIC))) for path in OUR_STYLES}
    paths |= {f"vendor/{p.name}": (storage, f"vendor/{p.name}") for p in VENDOR.glob("*.woff2")}
    failed = [result for _name, _hashed, result in storage.post_process(paths) if isinstance(result, Exception)]
    assert failed == []
    hashed = (tmp_path / storage.stored_name("css/app.css")).read_text()
    assert re.search(r"inter-latin-wght-normal\.[0-9a-f]{12}\.woff2", hashed)


@pytest.mark.parametrize("path", [*OUR_STYLES, *OUR_SCRIPTS], ids=lambda path: path.name)
def test_our_files_reach_for_nothing_outside(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    assert "://" not in text
    assert "eval(" not in text
    assert "new Function" not in text


FORBIDDEN = {
    "inline style": r"\sstyle\s*=",
    "inline handler": r"\son[a-z]+\s*=",
    "script in an attribute": r"\shx-on\b|[\"']js:",
    "style sheet": r"<style\b",
    "trigger filter": r"hx-trigger=\"[^\"]*\[",
    "inline script": r"<script\b(?![^>]*(?:src=|type=\"application/json\"))[^>]*>",
    "something from another host": r"(?:src|href|action)=\"(?:https?:)?//",
}


def test_templates_keep_to_the_content_security_policy() -> None:
    templates = sorted(TEMPLATES.rglob("*.html"))
    assert len(templates) > 200
    wrong = [
        f"{path.relative_to(TEMPLATES)}: {what}"
        for path in templates
        for what, pattern in FORBIDDEN.items()
        if re.search(pattern, path.read_text())
    ]
    assert wrong == []

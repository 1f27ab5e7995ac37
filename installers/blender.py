"""The Blender extension: built into a zip, put into Blender's folders, taken out again, looked after.

The zip mirrors `hosts/`: `blender/` and `bridge/` side by side under one `__init__.py`, so that the adapter reaches
the bridge by a relative import and needs nothing installed in Blender's Python. Version and wheels are written into
the manifest here, from the one place that knows each.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from artifexpro.core.errors import ArtifexError
from artifexpro.core.version import VERSION
from artifexpro.installers import wheels
from artifexpro.installers.folders import Finding, hosts, matches, replace, sources, writing

IDENTIFIER = "artifexpro"
OLDEST = (4, 2)
"""The first Blender with extensions."""
_REPOSITORY = Path("extensions", "user_default")
_ENTRY = '''"""ArtifexPro Studio in Blender: the adapter is in `blender`, its line to the daemon in `bridge`."""

from .blender import register, unregister

__all__ = ["register", "unregister"]
'''
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def build_extension(out_dir: Path, wheels_dir: Path | None = None, *, everywhere: bool = True) -> Path:
    """Write `artifexpro-<version>.zip` into `out_dir` and return its path.

    Missing pyzmq wheels are downloaded into `wheels_dir` (default: the user's cache folder). With `everywhere` False
    only those of this system go in, and the manifest says so; the file name then ends in the system's name.
    The same sources make the same bytes. Raises `ArtifexError`.
    """
    found = wheels.collect(wheels_dir or wheels.cache_folder(), everywhere=everywhere)
    out_dir.mkdir(parents=True, exist_ok=True)
    system = "" if everywhere else f"-{platform.system().lower()}"
    archive = out_dir / f"{IDENTIFIER}-{VERSION}{system}.zip"
    partial = archive.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in _contents(found, everywhere):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, data)
    partial.replace(archive)
    return archive


def manifest_text(wheel_names: tuple[str, ...], *, everywhere: bool = True) -> str:
    """The manifest as it goes into the zip: the source file with version, wheels and platforms filled in."""
    source = (hosts() / "blender" / "blender_manifest.toml").read_text(encoding="utf-8")
    head, permissions = source.split("[permissions]")
    if not everywhere:
        ours = [name for name in tomllib.loads(source)["platforms"] if name.startswith(_blender_system())]
        head = re.sub(r"(?m)^platforms = .*$", f"platforms = {json.dumps(ours)}", head)
    listed = "".join(f'    "./wheels/{name}",\n' for name in wheel_names)
    return f'{head.rstrip()}\nversion = "{VERSION}"\nwheels = [\n{listed}]\n\n[permissions]{permissions}'


def install(into: Path | None = None, dry_run: bool = False) -> list[str]:
    """Put the extension into each Blender found, or into the Blender user folder `into` (the one of one version,
    with or to have `extensions/` in it). Doing it twice changes nothing. Returns what was done, a sentence a line.

    Raises `ArtifexError` when no Blender is found, the extension cannot be built or the folder cannot be written.
    """
    said = []
    for folder in _folders(into):
        place = folder / _REPOSITORY / IDENTIFIER
        files = _extension_files()
        if matches(place, files):
            said.append(f"{_named(folder)} has ArtifexPro {VERSION} already, in {place}.")
            continue
        verb = "replaces the one in" if place.exists() else "goes into"
        said.append(f"{_named(folder)}: ArtifexPro {VERSION} {verb} {place}.")
        if not dry_run:
            with writing(place, "Blender"):
                replace(place, files)
    said.append(
        "Nothing was changed: this was a dry run."
        if dry_run
        else 'Restart Blender, open Edit > Preferences > Add-ons and tick "ArtifexPro Studio". '
        "The tab is in the sidebar (N) of the sequencer."
    )
    return said


def uninstall(into: Path | None = None, dry_run: bool = False) -> list[str]:
    """Take the extension out of each Blender found, or out of `into`. Clips that were made stay where they are."""
    said = []
    for folder in _folders(into):
        places = [folder / _REPOSITORY / IDENTIFIER, folder / "extensions" / ".user" / "user_default" / IDENTIFIER]
        present = [place for place in places if place.exists()]
        if not present:
            said.append(f"{_named(folder)} does not have ArtifexPro.")
        for place in present:
            said.append(f"{_named(folder)}: {place} is removed.")
            if not dry_run:
                with writing(place, "Blender"):
                    shutil.rmtree(place)
    said.append(
        "Nothing was changed: this was a dry run."
        if dry_run
        else "Blender itself removes the unpacked pyzmq wheel when it starts next. Your clips were not touched."
    )
    return said


def doctor(into: Path | None = None, dry_run: bool = False) -> list[Finding]:
    """What is installed where, and what is wrong with it. Changes nothing, with or without `dry_run`."""
    folders = [into] if into is not None else user_folders()
    if not folders:
        remedy = "starting Blender 4.2 or newer once, or naming its user folder with --into"
        return [Finding(name="Blender", ok=False, said="No user folder of Blender was found.", remedy=remedy)]
    return [_examine(folder) for folder in folders]


def user_folders() -> list[Path]:
    """Blender's user folders on this machine, oldest version first: one for each Blender that was ever started.

    BLENDER_USER_RESOURCES, where set, is the only one, as it is for Blender.
    """
    stated = os.environ.get("BLENDER_USER_RESOURCES")
    if stated:
        return [Path(stated)]
    found = [
        folder
        for root in _roots()
        if root.is_dir()
        for folder in root.iterdir()
        if (version := _version_of(folder)) is not None and version >= OLDEST
    ]
    return sorted(found, key=lambda folder: (_version_of(folder) or (), str(folder)))


def _roots() -> list[Path]:
    home = Path.home()
    system = platform.system()
    if system == "Darwin":
        return [home / "Library" / "Application Support" / "Blender"]
    if system == "Windows":
        roaming = Path(os.environ.get("APPDATA", home / "AppData" / "Roaming"))
        return [roaming / "Blender Foundation" / "Blender"]
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return [config / "blender", home / ".var" / "app" / "org.blender.Blender" / "config" / "blender"]


def _version_of(folder: Path) -> tuple[int, ...] | None:
    match = re.fullmatch(r"(\d+)\.(\d+)", folder.name)
    return tuple(int(part) for part in match.groups()) if match else None


def _named(folder: Path) -> str:
    return f"Blender {folder.name}" if _version_of(folder) else f"Blender in {folder}"


def _folders(into: Path | None) -> list[Path]:
    if into is not None:
        return [into]
    found = user_folders()
    if not found:
        raise ArtifexError(
            "find Blender's user folder",
            "none of its usual places on this system has one: " + ", ".join(str(root) for root in _roots()),
            "starting Blender 4.2 or newer once, or naming the folder with --into",
        )
    return found


def _blender_system() -> str:
    return {"Darwin": "macos", "Windows": "windows"}.get(platform.system(), "linux")


def _contents(found: dict[str, bytes], everywhere: bool) -> Iterator[tuple[str, bytes]]:
    """Names in the zip with their bytes, in a fixed order."""
    yield "__init__.py", _ENTRY.encode()
    yield "blender_manifest.toml", manifest_text(tuple(found), everywhere=everywhere).encode()
    yield from sources("blender", "bridge")
    for name, data in found.items():
        yield f"wheels/{name}", data


def _extension_files() -> dict[str, bytes]:
    """What `install` puts in place: the zip's contents and which Python can start the daemon."""
    packed = _contents(wheels.collect(wheels.cache_folder(), everywhere=False), everywhere=False)
    return {**dict(packed), "installed_by.txt": f"{sys.executable}\n".encode()}


def _examine(folder: Path) -> Finding:
    name = _named(folder)
    place = folder / _REPOSITORY / IDENTIFIER
    again = "artifexpro host install blender"
    if not place.is_dir():
        return Finding(name=name, ok=False, said=f"ArtifexPro is not in {place}.", remedy=again)
    try:
        manifest = tomllib.loads((place / "blender_manifest.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        return Finding(name=name, ok=False, said=f"The manifest in {place} cannot be read: {problem}.", remedy=again)
    if manifest.get("version") != VERSION:
        there = manifest.get("version", "of unknown version")
        return Finding(name=name, ok=False, said=f"ArtifexPro {there} is there; this is {VERSION}.", remedy=again)
    missing = [wheel for wheel in manifest.get("wheels", []) if not (place / wheel).is_file()]
    if missing:
        return Finding(name=name, ok=False, said=f"{place} lacks {', '.join(missing)}.", remedy=again)
    return Finding(name=name, ok=True, said=f"ArtifexPro {VERSION} is in {place}.", remedy="")


def main() -> int:
    """`python -m artifexpro.installers.blender [FOLDER]`: build the zip for all systems into FOLDER (default: dist)."""
    try:
        print(build_extension(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))
    except ArtifexError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

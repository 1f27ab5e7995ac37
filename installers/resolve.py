"""The Resolve adapter: scripts for Resolve's menu and Console, macros among Fusion's templates, and a folder of ours.

The scripts are Lua, which every edition of Resolve runs; they work with a companion process of ours. The folder has the
Python adapter for the Studio edition, with pyzmq once for each Python that Resolve may run scripts on.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from artifexpro.core.errors import ArtifexError
from artifexpro.core.nodes import library
from artifexpro.core.nodes.catalogue import catalogue
from artifexpro.core.version import VERSION
from artifexpro.hosts.bridge.home import Home
from artifexpro.hosts.panel import needs
from artifexpro.hosts.resolve import macros
from artifexpro.installers import wheels
from artifexpro.installers.folders import Finding, lacking, matches, replace, sources, writing

FOLDER = "ArtifexPro"
PACKAGE = "artifexpro_resolve"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
MENU = Path("Scripts", "Utility", "ArtifexPro.lua")
CONSOLE = Path("Scripts", "Utility", "ArtifexPro Console.lua")
PANEL = Path("Scripts", "Utility", "ArtifexPro Panel.lua")
TEMPLATES = Path("Templates", "Fusion", FOLDER)


def install(into: Path | None = None, dry_run: bool = False) -> list[str]:
    """Put the adapter into Resolve's Fusion folder, or into `into`, another such folder. Twice changes nothing more.

    Returns what was done, a sentence a line. Raises `ArtifexError` where there is no Resolve, or no leave to write.
    """
    folder = _folder(into)
    said = []
    for place, files, what in _parts(folder, dict(_libraries())):
        if matches(place, files) if place.is_dir() else _same(place, files):
            said.append(f"{what} is in {place} already.")
            continue
        said.append(f"{what} {'replaces the one in' if place.exists() else 'goes into'} {place}.")
        if not dry_run:
            with writing(place, "Resolve"):
                place.parent.mkdir(parents=True, exist_ok=True)
                _put(place, files)
    said.append(
        "Nothing was changed: this was a dry run."
        if dry_run
        else "Restart Resolve. The scripts are in Workspace > Scripts, the macros are in Fusion's Effects Library."
    )
    if not _has_qt():
        said.append(f"The panel needs Qt for Python, which is not there yet: {needs.GET_IT}.")
    return said


def uninstall(into: Path | None = None, dry_run: bool = False) -> list[str]:
    """Take the adapter out again. Clips, LUTs and timelines stay."""
    folder = _folder(into)
    places = [folder / MENU, folder / CONSOLE, folder / PANEL, folder / TEMPLATES, folder / FOLDER]
    present = [place for place in places if place.exists()]
    if not present:
        return [f"{folder} does not have ArtifexPro."]
    for place in present if not dry_run else ():
        with writing(place, "Resolve"):
            shutil.rmtree(place) if place.is_dir() else place.unlink()
    said = [f"{place} is removed." for place in present]
    return [*said, "Nothing was changed: this was a dry run." if dry_run else "What was made stays where it is."]


def doctor(into: Path | None = None, dry_run: bool = False) -> list[Finding]:
    """What is installed where, and what is wrong with it. Changes nothing, with or without `dry_run`."""
    folder = into if into is not None else user_folder()
    if into is None and not _is_there():
        remedy = "starting DaVinci Resolve 18 or newer once, or naming its Fusion folder with --into"
        return [Finding(name="Resolve", ok=False, said=f"No Resolve and no {folder} was found.", remedy=remedy)]
    return [*(_examine(*part) for part in _parts(folder, {})), _qt()]


def user_folder() -> Path:
    """The user's Fusion folder of Resolve on this system."""
    home = Path.home()
    system = platform.system()
    if system == "Darwin":
        return home / "Library" / "Application Support" / "Blackmagic Design" / "DaVinci Resolve" / "Fusion"
    if system == "Windows":
        roaming = Path(os.environ.get("APPDATA", home / "AppData" / "Roaming"))
        return roaming / "Blackmagic Design" / "DaVinci Resolve" / "Support" / "Fusion"
    return home / ".local" / "share" / "DaVinciResolve" / "Fusion"


def program_folder() -> Path:
    """Where Resolve itself is installed on this system."""
    system = platform.system()
    if system == "Darwin":
        return Path("/Applications/DaVinci Resolve")
    if system == "Windows":
        programs = Path(os.environ.get("PROGRAMFILES", r"C:\Program Files"))
        return programs / "Blackmagic Design" / "DaVinci Resolve"
    return Path("/opt/resolve")


def _is_there() -> bool:
    return user_folder().parent.is_dir() or program_folder().is_dir()


def _folder(into: Path | None) -> Path:
    if into is not None:
        return into
    if not _is_there():
        raise ArtifexError(
            "find DaVinci Resolve",
            f"there is neither {user_folder().parent} nor {program_folder()}",
            "starting DaVinci Resolve 18 or newer once, or naming its Fusion folder with --into",
        )
    return user_folder()


def _parts(folder: Path, libraries: dict[str, bytes]) -> Iterator[tuple[Path, dict[str, bytes], str]]:
    """Where each part goes, its files ({"": ...} where it is one file), and what it is called."""
    script = import_module("artifexpro.hosts.resolve.script")
    home = Home.find().root
    told = (home / "resolve" / "mail", sys.executable, home)
    yield folder / MENU, {"": script.menu(*told).encode("utf-8")}, "The script of the menu"
    yield folder / CONSOLE, {"": script.console(*told).encode("utf-8")}, "The script for the Console"
    beside = (home / "resolve" / "panel", sys.executable, home)
    yield folder / PANEL, {"": script.panel(*beside).encode("utf-8")}, "The script that opens the panel"
    yield folder / TEMPLATES, dict(_templates()), "The set of Fusion macros"
    yield folder / FOLDER, {**dict(_package()), **libraries}, f"ArtifexPro {VERSION}"


def _templates() -> Iterator[tuple[str, bytes]]:
    for entry in catalogue(library()):
        yield f"{entry['name']}.setting", macros.macro(entry).encode("utf-8")


def _package() -> Iterator[tuple[str, bytes]]:
    yield f"{PACKAGE}/__init__.py", b""
    for name, data in sources("resolve", "bridge", "panel"):
        yield f"{PACKAGE}/{name}", data
    yield f"{PACKAGE}/version.txt", f"{VERSION}\n".encode()
    yield f"{PACKAGE}/installed_by.txt", f"{sys.executable}\n".encode()


def _libraries() -> Iterator[tuple[str, bytes]]:
    for python in PYTHONS:
        for name, data in wheels.unpacked(python).items():
            yield f"lib/{python}/{name}", data


def _has_qt() -> bool:
    """Whether the Python that opens the panel has Qt and what chooses among its kinds."""
    return bool(find_spec("qtpy") and (find_spec("PySide6") or find_spec("PySide2")))


def _qt() -> Finding:
    if _has_qt():
        return Finding(name="Qt", ok=True, said=f"Qt for the panel is in {sys.prefix}.", remedy="")
    return Finding(name="Qt", ok=False, said="The panel has no Qt for Python; all else works.", remedy=needs.GET_IT)


def _same(place: Path, files: dict[str, bytes]) -> bool:
    return place.is_file() and place.read_bytes() == files.get("")


def _put(place: Path, files: dict[str, bytes]) -> None:
    if "" not in files:
        replace(place, files)
        return
    partial = place.with_name(f".{place.name}-new")
    partial.write_bytes(files[""])
    partial.replace(place)


def _examine(place: Path, files: dict[str, bytes], what: str) -> Finding:
    again = "artifexpro host install resolve"
    if not place.exists():
        return Finding(name=place.name, ok=False, said=f"{what} is not in {place}.", remedy=again)
    if not (_same(place, files) if place.is_file() else not lacking(place, files.items())):
        return Finding(name=place.name, ok=False, said=f"{place} is not what this release puts there.", remedy=again)
    missing = [python for python in PYTHONS if not (place / "lib" / python / "zmq").is_dir()]
    if missing and (place / PACKAGE).is_dir():
        return Finding(name=place.name, ok=False, said=f"{place} lacks pyzmq for {', '.join(missing)}.", remedy=again)
    return Finding(name=place.name, ok=True, said=f"{what} is in {place}.", remedy="")

"""The Nuke adapter: put into Nuke's plug-in folder, taken out again, looked after.

One folder of ours and three lines in the `init.py` beside it, which may be the artist's own: only what stands between
our marks is ever changed. pyzmq lies there once for each Python that Nuke 14 to 17 have.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from artifexpro.core.errors import ArtifexError
from artifexpro.core.version import VERSION
from artifexpro.installers import wheels
from artifexpro.installers.folders import Finding, catalogue_text, hosts, lacking, matches, replace, sources, writing

FOLDER = "ArtifexPro"
PACKAGE = "artifexpro_nuke"
PYTHONS = {14: "3.9", 15: "3.10", 16: "3.11", 17: "3.11"}
"""The Python of each Nuke."""
BEGIN = "# ArtifexPro: begin"
END = "# ArtifexPro: end"
_LINES = f"""{BEGIN}
import nuke
nuke.pluginAddPath("./{FOLDER}")
{END}
"""
_OURS = re.compile(rf"^{BEGIN}$.*?^{END}$\n?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Nuke:
    """An installed Nuke."""

    major: int
    release: str
    place: Path

    @property
    def python(self) -> str | None:
        """Its Python; None for a Nuke that this release does not know."""
        return PYTHONS.get(self.major)


def install(into: Path | None = None, dry_run: bool = False) -> list[str]:
    """Put the adapter into Nuke's plug-in folder, or into `into`, a folder of NUKE_PATH. Twice changes nothing more.

    Returns what was done, a sentence a line. Raises `ArtifexError` where there is no Nuke or a folder is not writable.
    """
    folder = _folder(into)
    place, files = folder / FOLDER, _files()
    said = [_named(nuke) for nuke in installed() if into is None]
    fresh = not matches(place, files)
    if fresh:
        said.append(f"ArtifexPro {VERSION} {'replaces the one in' if place.exists() else 'goes into'} {place}.")
    else:
        said.append(f"ArtifexPro {VERSION} is in {place} already.")
    start = folder / "init.py"
    text = _text(start)
    wanted = _with_lines(text)
    if wanted != text:
        said.append(f"{start} gets three lines that add the folder to Nuke's plug-in path.")
    if not dry_run:
        with writing(place, "Nuke"):
            if fresh:
                folder.mkdir(parents=True, exist_ok=True)
                replace(place, files)
            if wanted != text:
                _write(start, wanted)
    said.append(
        "Nothing was changed: this was a dry run."
        if dry_run
        else "Restart Nuke. The nodes are in the toolbar and in the menu ArtifexPro."
    )
    return said


def uninstall(into: Path | None = None, dry_run: bool = False) -> list[str]:
    """Take the adapter out again. Scripts keep their nodes and pictures, and files stay."""
    folder = _folder(into)
    place, start = folder / FOLDER, folder / "init.py"
    text = _text(start)
    left = _without_lines(text)
    said = []
    if place.exists():
        said.append(f"{place} is removed.")
    if left != text:
        said.append(f"The lines of ArtifexPro are taken out of {start}." if left.strip() else f"{start} is removed.")
    if not said:
        return [f"{folder} does not have ArtifexPro."]
    if dry_run:
        return [*said, "Nothing was changed: this was a dry run."]
    with writing(place, "Nuke"):
        if place.exists():
            shutil.rmtree(place)
        if left != text and left.strip():
            _write(start, left)
        elif left != text:
            start.unlink()
    return [*said, "Scripts with our nodes still open and render: what was made lies in Read nodes inside them."]


def doctor(into: Path | None = None, dry_run: bool = False) -> list[Finding]:
    """What is installed where, and what is wrong with it. Changes nothing, with or without `dry_run`."""
    found = [] if into is not None else [_examine_nuke(nuke) for nuke in installed()]
    folder = into if into is not None else user_folder()
    if into is None and not found and not folder.is_dir():
        remedy = "starting Nuke 14 or newer once, or naming its plug-in folder with --into"
        return [Finding(name="Nuke", ok=False, said=f"No Nuke and no {folder} was found.", remedy=remedy)]
    return [*found, _examine(folder), _examine_start(folder)]


def installed() -> list[Nuke]:
    """The Nukes in the usual places of this system, oldest first."""
    named = (
        (re.fullmatch(r"Nuke(\d+)\.(\d+v\d+)", place.name), place)
        for root in _roots()
        if root.is_dir()
        for place in sorted(root.iterdir())
    )
    found = [Nuke(int(match[1]), f"{match[1]}.{match[2]}", place) for match, place in named if match]
    return sorted(found, key=lambda nuke: (nuke.major, nuke.release, str(nuke.place)))


def user_folder() -> Path:
    """The folder Nuke always looks into: `.nuke` in the home folder, on every system."""
    return Path.home() / ".nuke"


def _roots() -> list[Path]:
    system = platform.system()
    if system == "Darwin":
        return [Path("/Applications")]
    if system == "Windows":
        return [Path(os.environ.get("PROGRAMFILES", r"C:\Program Files"))]
    return [Path("/usr/local"), Path("/opt"), Path.home()]


def _folder(into: Path | None) -> Path:
    if into is not None:
        return into
    folder = user_folder()
    if not folder.is_dir() and not installed():
        places = ", ".join(str(root) for root in _roots())
        raise ArtifexError(
            "find Nuke",
            f"there is no {folder}, and no Nuke in {places}",
            "starting Nuke 14 or newer once, or naming its plug-in folder with --into",
        )
    return folder


def _named(nuke: Nuke) -> str:
    if nuke.python is None:
        return f"Nuke {nuke.release} in {nuke.place} is left out: this release is made for Nuke {_range()}."
    return f"Nuke {nuke.release} in {nuke.place} has Python {nuke.python}."


def _range() -> str:
    return f"{min(PYTHONS)} to {max(PYTHONS)}"


def _files() -> dict[str, bytes]:
    """Everything in our folder, by path."""
    return {**dict(_adapter()), **dict(_libraries())}


def _adapter() -> Iterator[tuple[str, bytes]]:
    """What Nuke runs at its start is beside the package; the rest is in it, as `hosts` has it."""
    starts = ("init.py", "menu.py")
    for name in starts:
        yield name, (hosts() / "nuke" / name).read_bytes()
    yield f"{PACKAGE}/__init__.py", b""
    for name, data in sources("nuke", "bridge", "panel"):
        if name not in (f"nuke/{start}" for start in starts):
            yield f"{PACKAGE}/{name}", data
    yield f"{PACKAGE}/catalogue.json", catalogue_text()
    yield f"{PACKAGE}/release.txt", f"{VERSION}\n".encode()
    yield f"{PACKAGE}/installed_by.txt", f"{sys.executable}\n".encode()


def _libraries() -> Iterator[tuple[str, bytes]]:
    for python in sorted(set(PYTHONS.values())):
        for name, data in wheels.unpacked(python, qt=True).items():
            yield f"lib/{python}/{name}", data


def _text(path: Path) -> str:
    """An `init.py` as it is, whatever its line ends; empty where there is none. Raises `ArtifexError`."""
    if not path.exists():
        return ""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArtifexError(
            f"add lines to {path}", "it is not in UTF-8, as Python wants it", "saving it as UTF-8, and then once more"
        ) from error


def _with_lines(text: str) -> str:
    """`text` with our lines at its end, in its own line ends."""
    if _LINES in text.replace("\r\n", "\n"):
        return text
    rest = _without_lines(text)
    ends = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not rest or rest.endswith("\n") else "\n"
    return rest + (gap + _LINES).replace("\n", ends)


def _without_lines(text: str) -> str:
    ends = "\r\n" if "\r\n" in text else "\n"
    plain = text.replace("\r\n", "\n")
    left = _OURS.sub("", plain)
    return text if left == plain else left.replace("\n", ends)


def _write(path: Path, text: str) -> None:
    """Whole or not at all: Nuke may start meanwhile. A link stays one."""
    path = path.resolve()
    partial = path.with_name(f"{path.name}.artifexpro")
    partial.write_bytes(text.encode("utf-8"))
    partial.replace(path)


def _examine_nuke(nuke: Nuke) -> Finding:
    remedy = f"Nuke {_range()}, or a release of ArtifexPro that knows this one" if nuke.python is None else ""
    return Finding(name=f"Nuke {nuke.release}", ok=nuke.python is not None, said=_named(nuke), remedy=remedy)


def _examine(folder: Path) -> Finding:
    place, again = folder / FOLDER, "artifexpro host install nuke"
    if not place.is_dir():
        return Finding(name=FOLDER, ok=False, said=f"ArtifexPro is not in {place}.", remedy=again)
    note = place / PACKAGE / "release.txt"
    there = note.read_text(encoding="utf-8").strip() if note.is_file() else "of unknown version"
    if there != VERSION:
        return Finding(name=FOLDER, ok=False, said=f"ArtifexPro {there} is there; this is {VERSION}.", remedy=again)
    missing = [python for python in sorted(set(PYTHONS.values())) if not (place / "lib" / python / "zmq").is_dir()]
    if missing:
        return Finding(name=FOLDER, ok=False, said=f"{place} lacks pyzmq for {', '.join(missing)}.", remedy=again)
    if changed := lacking(place, _adapter()):
        return Finding(name=FOLDER, ok=False, said=f"{place / changed[0]} is not as it was installed.", remedy=again)
    return Finding(name=FOLDER, ok=True, said=f"ArtifexPro {VERSION} is in {place}.", remedy="")


def _examine_start(folder: Path) -> Finding:
    start = folder / "init.py"
    if _LINES in _text(start).replace("\r\n", "\n"):
        return Finding(name="init.py", ok=True, said=f"{start} adds the folder to Nuke's plug-in path.", remedy="")
    said = f"{start} does not add the folder {FOLDER} to Nuke's plug-in path."
    return Finding(name="init.py", ok=False, said=said, remedy="artifexpro host install nuke")

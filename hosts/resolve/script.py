"""The Lua script as Resolve gets it: one file, because a script there may be unable to load another.

The parts in `lua/` are joined, and the folder, the Python and the daemon's home of this machine are written into it.
"""

from __future__ import annotations

from pathlib import Path

PARTS = ("files.lua", "verbs.lua", "work.lua")
MENU_NAME = "ArtifexPro.lua"
CONSOLE_NAME = "ArtifexPro Console.lua"
PANEL_NAME = "ArtifexPro Panel.lua"
COMPANION = "artifexpro.hosts.resolve.companion"
BESIDE = "artifexpro.hosts.resolve.beside"


def menu(mail: Path, python: str, home: Path) -> str:
    """The script for Workspace > Scripts: works until it is stopped."""
    return f"{_joined(mail, python, home)}\nartifexpro.work()\n"


def console(mail: Path, python: str, home: Path) -> str:
    """The script for `dofile` in the Console: gives the table `artifexpro`."""
    return f"{_joined(mail, python, home)}\nreturn artifexpro\n"


def panel(mail: Path, python: str, home: Path) -> str:
    """The script for Workspace > Scripts that opens the panel. `mail` is a folder that the companion does not have."""
    return f"{_joined(mail, python, home, BESIDE)}\nartifexpro.panel()\n"


def _joined(mail: Path, python: str, home: Path, program: str = COMPANION) -> str:
    folder = Path(__file__).parent / "lua"
    text = "\n".join((folder / name).read_text(encoding="utf-8") for name in PARTS)
    said = {"FOLDER": mail.as_posix(), "PYTHON": python, "HOME": str(home), "PROGRAM": program}
    for mark, value in said.items():
        text = text.replace(f'"@{mark}@"', _quoted(value))
    return text


def _quoted(text: str) -> str:
    """A Lua string of any text."""
    return '"' + "".join(f"\\{letter}" if letter in '\\"\n' else letter for letter in text) + '"'

"""Who asks the daemon, and which Python has it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path


def release() -> str:
    """The version: written beside this package by the installer, or that of the installed package."""
    note = _note("version.txt")
    if note is not None:
        return note
    try:
        return metadata.version("artifexpro")
    except metadata.PackageNotFoundError:
        return ""


def installers_python() -> str | None:
    """The Python that put this here and can start the daemon; None where nobody left word."""
    return _note("installed_by.txt")


def introduction() -> dict[str, str]:
    """Who asks, as job lists show it."""
    return {"name": "ArtifexPro in Resolve", "version": release(), "host": "resolve"}


def _note(name: str) -> str | None:
    file = Path(__file__).parent.parent / name
    return file.read_text(encoding="utf-8").strip() if file.exists() else None

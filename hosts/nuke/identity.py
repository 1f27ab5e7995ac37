"""What the adapter is called towards the daemon, and what its installer left beside it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
"""The package's folder in Nuke's plug-in path."""


def release() -> str:
    """The version that the installer wrote down; empty where the folder was copied by hand."""
    return _note("release.txt") or ""


def installers_python() -> str | None:
    """The Python that put the adapter here and can start the daemon."""
    return _note("installed_by.txt")


def introduction() -> dict[str, str]:
    """Who asks, as job lists show it."""
    return {"name": "ArtifexPro in Nuke", "version": release(), "host": "nuke"}


def _note(name: str) -> str | None:
    note = ROOT / name
    return note.read_text(encoding="utf-8").strip() if note.exists() else None

"""What the extension is called, inside Blender and towards the daemon."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT_PACKAGE = (__package__ or "").rpartition(".")[0]
"""The extension's own module: Blender looks preferences up under this name."""


def release() -> str:
    """The version in the manifest beside this package."""
    manifest = Path(__file__).parent.parent / "blender_manifest.toml"
    return str(tomllib.loads(manifest.read_text(encoding="utf-8"))["version"])


def installers_python() -> str | None:
    """The Python that put the extension here and can start the daemon; None where it came as a zip."""
    note = Path(__file__).parent.parent / "installed_by.txt"
    return note.read_text(encoding="utf-8").strip() if note.exists() else None


def introduction() -> dict[str, str]:
    """Who asks, as job lists show it."""
    return {"name": "ArtifexPro in Blender", "version": release(), "host": "blender"}

# mypy: ignore-errors
"""The catalogue of nodes as the daemon last told it, kept under the extension's user folder.

So a file opens, and nodes are added, with no daemon running.
"""

import json
import os
from pathlib import Path

import bpy

from .. import identity

NAME = "catalogue.json"


def nodes():
    """The entries of every node; empty until a daemon was ever heard."""
    try:
        return json.loads((_folder(create=False) / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []


def keep(entries):
    """Write down what the daemon told. Where that cannot be written, it holds until Blender is closed."""
    try:
        place = _folder(create=True) / NAME
        part = place.with_name(f"{NAME}.{os.getpid()}.part")
        part.write_text(json.dumps(entries), encoding="utf-8")
        part.replace(place)
    except OSError as problem:
        print(f"ArtifexPro: the catalogue of nodes was not kept: {problem}")


def _folder(*, create):
    return Path(bpy.utils.extension_path_user(identity.ROOT_PACKAGE, create=create))

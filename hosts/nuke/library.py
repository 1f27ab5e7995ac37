"""The catalogue of nodes, from which every knob comes: as the daemon last told it, else as the installer left it.

So a node can be made without a daemon. What the daemon tells is kept in its home folder for the next time.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..bridge.home import Home
from . import identity
from .telling import Refused

NAME = "catalogue.json"
Entry = dict[str, Any]


def nodes() -> dict[str, Entry]:
    """Every node type by name. Raises `Refused` where no catalogue is here yet."""
    places = (_kept(), identity.ROOT / NAME)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise Refused(
            "make a node",
            "the catalogue of nodes is not on this machine yet",
            "ArtifexPro > Connect, which gets it from the daemon, and then once more",
        )
    return {entry["name"]: entry for entry in json.loads(found.read_text(encoding="utf-8"))}


def keep(entries: list[Entry]) -> None:
    """Write down what the daemon told. Where the home cannot be written, the next start goes by what is there."""
    place = _kept()
    part = place.with_name(f"{NAME}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(entries), encoding="utf-8")
        part.replace(place)
    except OSError:
        part.unlink(missing_ok=True)


def _kept() -> Path:
    return Home.find(None).root / NAME

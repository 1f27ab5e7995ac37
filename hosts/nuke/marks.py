"""Names of the knobs that are ours on every node, and how one is found again whatever the artist calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import nuke

ID = "artifexpro_id"
KINDS = "artifexpro_kinds"
"""Hidden: the catalogue's entries of the node types this Group can be, as it was made; a script brings them along."""
VERSIONS = "artifexpro_versions"
SHOWN = "artifexpro_shown"
MATTED = "artifexpro_matted"
JOBS = "artifexpro_jobs"
"""On the Root: the jobs of the script."""
RESULT = "result"
"""The Read inside the Group."""
TASK, FIRST, LAST, HANDLES = "task", "range_first", "range_last", "handles"
OVER, VERSION, STATUS = "over_plate", "version", "status"
NO_VERSION = "none yet"


def all_of_ours() -> Iterator[Any]:
    for node in nuke.allNodes("Group", nuke.root(), recurseGroups=True):
        if node.knob(ID) is not None:
            yield node


def with_id(mark: str) -> Any | None:
    """The node of that id, or None where it was deleted."""
    return next((node for node in all_of_ours() if node[ID].value() == mark), None)


def versions(node: Any) -> list[dict[str, Any]]:
    """What was delivered to the node, oldest first."""
    found: list[dict[str, Any]] = json.loads(node[VERSIONS].value() or "[]")
    return found


def kinds(node: Any) -> dict[str, dict[str, Any]]:
    """By task, the catalogue's entry of the node type that does it."""
    found: dict[str, dict[str, Any]] = json.loads(node[KINDS].value())
    return found


def label(version: dict[str, Any]) -> str:
    return f"v{version['version']:03d}"

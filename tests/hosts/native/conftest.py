"""The catalogue as hosts get it, and documents that have everything a document can have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from artifexpro.core.nodes import library
from artifexpro.core.nodes.catalogue import catalogue as entries

OLD = Path(__file__).resolve().parents[2] / "core" / "graph" / "old"


@pytest.fixture(scope="session")
def catalogue() -> list[dict[str, Any]]:
    """Through JSON, as the daemon sends it."""
    found: list[dict[str, Any]] = json.loads(json.dumps(entries(library())))
    return found

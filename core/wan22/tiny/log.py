"""A training's log: one JSON object a line, only ever added to, so that it says on what and how long, interruptions
included."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.version import VERSION

NAME = "training.jsonl"


@dataclass(frozen=True, slots=True)
class Log:
    """Lines are written to `path` and told to nobody else."""

    path: Path

    def write(self, **fields: Any) -> None:
        rounded = {name: float(f"{value:.5g}") if isinstance(value, float) else value for name, value in fields.items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rounded) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """Everything written so far."""
        if not self.path.is_file():
            return []
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]

    def begin(self, same: Mapping[str, Any], **about: Any) -> None:
        """The first line of a run. `same` says what it does; an earlier run here that did the same is gone on with.

        Raises `ArtifexError` (code "settings") where an earlier one did something else.
        """
        earlier = [line for line in self.lines() if "began" in line]
        if earlier and any(earlier[0].get(name) != value for name, value in same.items()):
            raise ArtifexError(
                f"train in {self.path.parent}",
                "a training with another plan, seed or device was begun there",
                "the same settings again to go on with it, or another folder",
                code="settings",
            )
        self.write(began="again" if earlier else "anew", **same, **about)


def surroundings() -> dict[str, Any]:
    """What a training ran on."""
    import diffusers
    import transformers

    return {
        "threads": torch.get_num_threads(),
        "processor": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {
            "artifexpro": VERSION,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
            "transformers": transformers.__version__,
        },
    }

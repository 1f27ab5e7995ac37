"""A training's log: one JSON object a line, only ever added to, so that it says on what and how long, interruptions
included."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

"""Where each project's jobs are kept while Resolve is closed: Resolve has no place for them in the project itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any


class Shelf:
    """A file for each project, by its id. What lies there is whole: it is written beside its place and renamed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, project: str) -> tuple[str, list[str]]:
        """The project's jobs as text, and render jobs of ours that may be in its queue still."""
        try:
            kept = json.loads(self._file(project).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return "[]", []
        return json.dumps(kept["jobs"]), list(kept["renders"])

    def write(self, project: str, jobs: str, renders: list[str]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        kept: dict[str, Any] = {"jobs": json.loads(jobs), "renders": renders}
        part = self._file(project).with_suffix(".part")
        part.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        part.replace(self._file(project))

    def _file(self, project: str) -> Path:
        return self._folder / f"{re.sub(r'[^A-Za-z0-9-]', '_', project)}.json"

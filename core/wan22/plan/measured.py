"""What runs on this machine have measured, and what the next plan makes of it: medians, nothing else.

One JSON file beside the models: {"runs": [{"card", "stage", "model", "dtype", "way", "flops", "seconds",
"predicted_bytes", "peak_bytes"}]}, the newest last. `way` are the levers that decide the speed. Seconds are those of
the work alone, weights already in place; peaks are 0 where nothing counted them (on the processor).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.catalogue import CATALOGUE

FILE = "measured.json"
KEPT = 9
"""Runs kept of one kind: enough for a median that one odd run does not move."""


@dataclass(frozen=True, slots=True)
class Run:
    """One stage of one clip as it went."""

    card: str
    stage: str
    model: str
    dtype: str
    way: str
    flops: float
    seconds: float
    predicted_bytes: float = 0.0
    peak_bytes: float = 0.0

    @property
    def kind(self) -> tuple[str, str, str, str, str]:
        return self.card, self.stage, self.model, self.dtype, self.way


@dataclass(frozen=True, slots=True)
class Measured:
    """The runs known here."""

    runs: tuple[Run, ...] = ()

    def rate(self, card: str, stage: str, model: str, dtype: str, way: str) -> float | None:
        """Median operations a second of runs of just this kind; of other models and ways of the same stage, card and
        number format where there are none; None where there are none of those either.

        What a random model measured says nothing of others: a network of a few thousand parameters is all overhead.
        """
        same = self._of(card, stage, model, dtype, way)
        same = same or [run for run in self._of(card, stage, None, dtype, None) if not _is_random(run.model)]
        return median(run.flops / run.seconds for run in same) if same else None

    def peak(self, card: str, stage: str, model: str, dtype: str, way: str) -> float:
        """Median of measured over predicted peak memory of runs of just this kind; 1 where there are none."""
        same = [run for run in self._of(card, stage, model, dtype, way) if run.peak_bytes and run.predicted_bytes]
        return median(run.peak_bytes / run.predicted_bytes for run in same) if same else 1.0

    def _of(self, card: str, stage: str, model: str | None, dtype: str, way: str | None) -> list[Run]:
        return [
            run
            for run in self.runs
            if (run.card, run.stage, run.dtype) == (card, stage, dtype)
            and model in (None, run.model)
            and way in (None, run.way)
        ]


def _is_random(name: str) -> bool:
    known = CATALOGUE.get(name)
    return known is not None and known.random


def read(models: Path | None) -> Measured:
    """What was measured beside `models`; nothing where nothing was. Raises `ArtifexError` for a damaged file."""
    if models is None:
        return Measured()
    path = models / FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Measured(tuple(Run(**run) for run in data["runs"]))
    except FileNotFoundError:
        return Measured()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifexError(
            f"read what earlier runs measured, in {path}",
            "the file is damaged",
            "removing it: the next runs measure again",
            code="measured",
        ) from error


def add(models: Path, runs: Iterable[Run]) -> None:
    """Keep `runs`, and of each kind the newest `KEPT`. Whole or not at all; two writers wait for each other."""
    from filelock import FileLock

    new = [run for run in runs if run.seconds > 0 and run.flops > 0]
    if not new:
        return
    path = models / FILE
    with FileLock(path.with_suffix(".lock")):
        kept: list[Run] = []
        counts: dict[tuple[str, ...], int] = {}
        for run in reversed((*read(models).runs, *new)):
            counts[run.kind] = counts.get(run.kind, 0) + 1
            if counts[run.kind] <= KEPT:
                kept.append(run)
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps({"runs": [asdict(run) for run in reversed(kept)]}, indent=1) + "\n", "utf-8")
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)

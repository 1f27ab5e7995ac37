"""Which models stay on disk: the least recently used make room, those to be kept never do.

A folder was last used when its weights were last asked for (`weights.used`). Only folders of known models and their
converted copies are ever removed; one that was used within a day stays, because a clip may be at work with it.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.catalogue import CATALOGUE, ModelSpec
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.weights import PARTIAL, SUFFIXES

KEPT = "kept.json"
RESTING_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Shelved:
    """A folder of weights: bytes, when it was last used (seconds since 1970), whether it is never removed."""

    folder: Path
    model: str
    size: int
    used: float
    kept: bool


def shelved(models: Path) -> tuple[Shelved, ...]:
    """Every model and converted copy under `models`, the least recently used first. Random models are left out: they
    are nothing, and built when used."""
    kept = kept_models(models)
    found = []
    for model in CATALOGUE.values():
        for suffix in () if model.random else ("", *SUFFIXES.values()):
            folder = models / (model.name + suffix)
            index = folder / "model_index.json"
            if index.is_file():
                size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                found.append(Shelved(folder, model.name, size, index.stat().st_mtime, model.name in kept))
    return tuple(sorted(found, key=lambda each: (each.used, each.folder.name)))


def kept_models(models: Path) -> frozenset[str]:
    """Names of the models that are never removed. Raises `ArtifexError` where the list is damaged."""
    path = models / KEPT
    try:
        return frozenset(str(name) for name in json.loads(path.read_text(encoding="utf-8"))["kept"])
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifexError(
            f"read which models are kept, in {path}", "the file is damaged", "removing it and keeping them again"
        ) from error


def keep(models: Path, model: ModelSpec, *, wanted: bool = True) -> None:
    """Never remove `model` nor its copies, or (`wanted` False) let them be removed again."""
    kept = kept_models(models) | {model.name} if wanted else kept_models(models) - {model.name}
    beside = models / f".{KEPT}.part"
    beside.write_text(json.dumps({"kept": sorted(kept)}) + "\n", encoding="utf-8")
    beside.replace(models / KEPT)


def evict(models: Path, budget: int, hooks: Hooks) -> tuple[Shelved, ...]:
    """Remove what was not used for longest until all weights take at most `budget` bytes; returns what went.

    Each that goes is told by `hooks.note`, and so is what stays above the budget and why.
    """
    every = shelved(models)
    taken = sum(each.size for each in every)
    now, gone = time.time(), []
    for each in every:
        if taken <= budget:
            break
        if each.kept or now - each.used < RESTING_SECONDS:
            continue
        hooks.check()
        _remove(each.folder, models)
        hooks.note(f"Removed {each.folder.name}: {each.size / 1e9:.1f} GB, not used for {_days(now - each.used)}.")
        taken -= each.size
        gone.append(each)
    if taken > budget:
        hooks.note(
            f"Models still take {taken / 1e9:.1f} GB: what is left is kept, or was used within a day and may be at "
            "work."
        )
    return tuple(gone)


def _remove(folder: Path, models: Path) -> None:
    """Out of sight first, so that nobody begins to read what is going."""
    retired = models / PARTIAL / f"{folder.name}.{uuid.uuid4().hex[:8]}.retired"
    retired.parent.mkdir(exist_ok=True)
    folder.rename(retired)
    shutil.rmtree(retired)


def _days(seconds: float) -> str:
    days = int(seconds // 86400)
    return f"{days} day{'s' if days != 1 else ''}"

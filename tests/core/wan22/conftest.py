"""Random models built once for all tests here, and hooks that remember everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.errors import Cancelled
from artifexpro.core.wan22 import catalogue, smoke
from artifexpro.core.wan22.request import ClipSpec, resolve


@dataclass
class Remembering:
    """Hooks that keep what they were told; `cancel_when` is asked at every check."""

    told: list[tuple[str, int, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    previews: list[torch.Tensor] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    cancel_when: Callable[[Remembering], bool] | None = None

    def check(self) -> None:
        if self.cancel_when is not None and self.cancel_when(self):
            raise Cancelled

    def progress(self, stage: str, done: int, total: int) -> None:
        self.told.append((stage, done, total))

    def preview(self, pixels: torch.Tensor) -> None:
        self.previews.append(pixels)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.stages.append(name)
        yield

    def done(self, stage: str) -> int:
        return max((done for name, done, _ in self.told if name == stage), default=0)


NAMES = [spec.name for spec in catalogue.CATALOGUE.values() if spec.random]


@pytest.fixture(scope="session")
def random_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with all random models in it. Nobody writes to it."""
    models = tmp_path_factory.mktemp("models")
    for name in NAMES:
        smoke.ensure(models, catalogue.model(name))
    return models


@pytest.fixture
def hooks() -> Remembering:
    return Remembering()


@pytest.fixture
def small() -> Callable[..., ClipSpec]:
    """A clip of 64 x 64 pixels, 9 frames, 4 steps; anything may be said otherwise."""

    def make(**changes: Any) -> ClipSpec:
        asked = {"prompt": "a red kite", "width": 64, "height": 64, "frames": 9, "steps": 4, "seed": 3, **changes}
        return resolve(**asked)

    return make

"""Random models built once for all tests here, and hooks that remember everything."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from artifexpro.core.errors import Cancelled
from artifexpro.core.wan22 import catalogue, smoke
from artifexpro.core.wan22.request import ClipSpec, resolve
from artifexpro.core.wan22.s2v import keys


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


@pytest.fixture(scope="session")
def published_s2v(random_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random S2V model as Wan-AI/Wan2.2-S2V-14B is laid out, with what it shares with T2V beside it: the network at
    the top in two shards, bfloat16, under the published names."""
    ours, folder = random_models / "smoke-s2v", tmp_path_factory.mktemp("published")
    for name in ("text_encoder", "tokenizer", "vae", "scheduler"):
        shutil.copytree(ours / name, folder / name)
    shutil.copytree(ours / "audio_encoder", folder / "wav2vec2-large-xlsr-53-english")
    tensors = load_file(ours / "transformer" / "diffusion_pytorch_model.safetensors")
    inside = [f"blocks.{block}.{name}" for block in range(2) for name in keys._INSIDE]
    sound = [f"audio_injector.injector.{block}.{name}" for block in range(2) for name in keys._ATTENTION]
    norms = [f"audio_injector.injector_adain_layers.{block}.linear" for block in range(2)]
    modules = [*keys._OUTSIDE, *inside, *sound, *norms]
    theirs = [f"{module}{kind}" for module in modules for kind in ("", ".weight", ".bias")]
    named = {keys.ours(name, (0, 1)): name for name in theirs if keys.ours(name, (0, 1)) in tensors}
    assert named.keys() == tensors.keys()
    for number in (1, 2):
        part = {named[name]: tensors[name].bfloat16() for name in sorted(tensors)[number - 1 :: 2]}
        save_file(
            part, folder / f"diffusion_pytorch_model-0000{number}-of-00002.safetensors", metadata={"format": "pt"}
        )
    (folder / "config.json").write_text("{}")
    return folder


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

"""What stays in memory for the next clip, and what does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from artifexpro.core.wan22.generate import generate
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.loading import Loader
from artifexpro.core.wan22.request import ClipSpec, resolve
from artifexpro.core.wan22.warm import Warm

PLENTY = 1e12
SPEC = resolve(prompt="a lamp", model="smoke-moe", width=64, height=64, frames=5, steps=4, shift=5.0, dtype="float32")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the components read from the disk."""
    names: list[str] = []
    before = Loader._read

    def told(self, kind, name, **options):
        names.append(name)
        return before(self, kind, name, **options)

    monkeypatch.setattr(Loader, "_read", told)
    return names


def clip(spec: ClipSpec, models: Path, folder: Path, warm: Warm | None) -> torch.Tensor:
    made = generate(spec, models, Silent(), folder=folder, device="cpu", warm=warm)
    return torch.stack([frame for _, frame in made])


def test_the_next_clip_of_a_model_reads_nothing_again(random_models, tmp_path, read):
    warm = Warm(PLENTY)
    first = clip(SPEC, random_models, tmp_path / "1", warm)
    assert {"transformer", "transformer_2", "vae"} <= set(read)
    read.clear()
    again = clip(replace(SPEC, seed=1), random_models, tmp_path / "2", warm)
    assert not read
    assert not torch.equal(again, first)
    alone = clip(replace(SPEC, seed=1), random_models, tmp_path / "3", None)
    assert torch.equal(again, alone)


def test_another_model_takes_its_place(random_models, tmp_path, read):
    warm = Warm(PLENTY)
    clip(SPEC, random_models, tmp_path / "1", warm)
    other = resolve(prompt="a lamp", model="smoke", width=64, height=64, frames=5, steps=2, dtype="float32")
    clip(other, random_models, tmp_path / "2", warm)
    read.clear()
    clip(SPEC, random_models, tmp_path / "3", warm)
    assert "transformer" in read


@pytest.mark.parametrize("levers", [Levers(cache=0.1), Levers(offload="block")])
def test_what_remembers_a_clip_or_lies_on_disk_does_not_stay(levers, random_models, tmp_path, read):
    warm = Warm(PLENTY)
    spec = replace(SPEC, steps=5, levers=levers)
    clip(spec, random_models, tmp_path / "1", warm)
    read.clear()
    clip(spec, random_models, tmp_path / "2", warm)
    assert "transformer" in read


def test_nothing_stays_where_there_is_no_room(random_models, tmp_path, read):
    warm = Warm(0.0)
    clip(SPEC, random_models, tmp_path / "1", warm)
    read.clear()
    clip(SPEC, random_models, tmp_path / "2", warm)
    assert "vae" in read


def test_weights_that_were_written_anew_are_read_anew(random_models, tmp_path, read):
    import os

    warm = Warm(PLENTY)
    clip(SPEC, random_models, tmp_path / "1", warm)
    written = next((random_models / "smoke-moe" / "transformer").glob("*.safetensors"))
    os.utime(written)
    read.clear()
    clip(SPEC, random_models, tmp_path / "2", warm)
    assert "transformer" in read


def test_a_cancelled_clip_leaves_the_model_for_the_next(random_models, tmp_path, read):
    warm = Warm(PLENTY)
    begun = generate(SPEC, random_models, Silent(), folder=tmp_path / "1", device="cpu", warm=warm)
    next(begun)
    begun.close()
    read.clear()
    clip(SPEC, random_models, tmp_path / "2", warm)
    assert not read

"""Averaged weights are used where a model has them, and refused where it has not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.levers import Levers

WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def models(random_models: Path, tmp_path: Path) -> Path:
    """The random model with averaged weights beside its own: the first expert's a hundredth larger."""
    shutil.copytree(random_models / "smoke-moe", tmp_path / "smoke-moe")
    for expert, factor in (("transformer", 1.01), ("transformer_2", 1.0)):
        folder = tmp_path / "smoke-moe" / expert
        averaged = {name: tensor * factor for name, tensor in load_file(folder / WEIGHTS).items()}
        save_file(averaged, folder / WEIGHTS.replace(".safetensors", ".ema.safetensors"), metadata={"format": "pt"})
    return tmp_path


def test_averaged_weights_are_the_ones_used(make: Any, plain: Any, models: Path) -> None:
    assert torch.equal(make(models=models), plain())
    averaged = make(Levers(ema=True), models=models)
    assert not torch.equal(averaged, plain())
    first = models / "smoke-moe" / "transformer"
    shutil.copyfile(first / WEIGHTS.replace(".safetensors", ".ema.safetensors"), first / WEIGHTS)
    assert torch.equal(make(models=models), averaged)


def test_a_model_without_averaged_weights_is_refused(make: Any, hooks: Any) -> None:
    with pytest.raises(ArtifexError, match="published ones have no average"):
        make(Levers(ema=True), hooks)
    assert hooks.stages == ["load"]


def test_averaged_weights_cut_short_are_refused(make: Any, models: Path, hooks: Any) -> None:
    path = next((models / "smoke-moe" / "transformer_2").glob("*.ema.safetensors"))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArtifexError, match="bytes instead of"):
        make(Levers(ema=True), hooks, models=models)

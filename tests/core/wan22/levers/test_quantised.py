"""8 bit weights: how much less they take, how little they change, and that disk keeps them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, loading, quantised
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.request import resolve

BOUND = {"int8": 0.004, "fp8": 0.01}
"""Largest difference of a pixel in 0..1 after the few steps of the test's clip."""
SHARE = {"int8": 0.003, "fp8": 0.02}
"""Norm of the difference of one forward, as a share of the answer's."""
ASKED = {"timestep": torch.tensor([500.0]), "return_dict": False}


def network(folder: Path, levers: Levers, dtype: str = "float32") -> Any:
    model = catalogue.model("smoke-moe")
    spec = resolve(prompt="x", model="smoke-moe", frames=1, dtype=dtype)
    device = torch.device("cpu")
    return loading.Loader(folder, model, device, loading.formats(spec, model, device), levers).network("transformer")


def answer(of: Any) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    latents, words = torch.randn(1, 16, 3, 8, 8, generator=generator), torch.randn(1, 512, 32, generator=generator)
    with torch.no_grad():
        return of(hidden_states=latents, encoder_hidden_states=words, **ASKED)[0]


@pytest.mark.parametrize("kind", ["int8", "fp8"])
def test_a_clip_of_8_bit_weights_is_nearly_the_same(kind: Any, make: Any, plain: Any) -> None:
    difference = float((make(Levers(quantise=kind)) - plain()).abs().max())
    assert 0 < difference < BOUND[kind]


@pytest.mark.parametrize("kind", ["int8", "fp8"])
def test_matrices_of_the_blocks_take_a_byte_a_weight_and_the_rest_stays(kind: Any, random_models: Path) -> None:
    folder = random_models / "smoke-moe"
    whole, small = network(folder, Levers()), network(folder, Levers(quantise=kind))
    difference = (answer(small) - answer(whole)).norm() / answer(whole).norm()
    assert 0 < float(difference) < SHARE[kind]
    layer, before = small.blocks[0].ffn.net[0].proj, whole.blocks[0].ffn.net[0].proj
    weights = before.weight.numel()
    assert quantised.bytes_held(layer) - before.bias.numel() * 4 == weights + 4 * before.out_features
    for part in ("patch_embedding", "condition_embedder", "proj_out"):
        assert not quantised.is_quantised(getattr(small, part))
        assert quantised.bytes_held(getattr(small, part)) == quantised.bytes_held(getattr(whole, part))
    assert quantised.is_quantised(small) and not quantised.is_quantised(whole)


@pytest.mark.parametrize("kind", ["int8", "fp8"])
def test_saved_8_bit_weights_are_smaller_and_make_the_same_clip(
    kind: Any, make: Any, random_models: Path, tmp_path: Path
) -> None:
    shutil.copytree(random_models / "smoke-moe", tmp_path / "smoke-moe")
    for expert in ("transformer", "transformer_2"):
        folder = tmp_path / "smoke-moe" / expert
        before = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
        shutil.rmtree(folder)
        quantised.save(random_models / "smoke-moe" / expert, folder, kind, torch.float32)
        assert sum(path.stat().st_size for path in folder.glob("*.safetensors")) < 0.7 * before
        assert quantised.stored(folder) == kind
    torch.testing.assert_close(make(models=tmp_path), make(Levers(quantise=kind)), rtol=0, atol=1e-5)
    other: Any = "fp8" if kind == "int8" else "int8"
    with pytest.raises(ArtifexError, match=f"are {kind} already"):
        make(Levers(quantise=other), models=tmp_path)


def test_8_bit_formats_of_others_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"quantization_config": {"quant_method": "bitsandbytes"}}')
    with pytest.raises(ArtifexError, match="quantised as bitsandbytes"):
        quantised.stored(tmp_path)

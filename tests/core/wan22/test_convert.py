"""Converted weights load to exactly what the originals load to."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import catalogue, convert, loading, quantised, weights
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.request import resolve

CPU = torch.device("cpu")


@pytest.fixture
def model() -> ModelSpec:
    return replace(catalogue.model("smoke-moe"), name="tiny", random=False, repository="studio/tiny")


@pytest.fixture
def models(random_models: Path, tmp_path: Path) -> Path:
    shutil.copytree(random_models / "smoke-moe", tmp_path / "tiny")
    return tmp_path


def loaded(folder: Path, model: ModelSpec, dtype: str) -> dict[str, torch.Tensor]:
    spec = resolve(prompt="x", model="smoke-moe", frames=1, dtype=dtype)
    formats = replace(loading.formats(spec, model, CPU), transformer=getattr(torch, dtype))
    loader = loading.Loader(folder, model, CPU, formats)
    parts = {name: loader.transformer(name) for name in ("transformer", "transformer_2")}
    parts |= {"vae": loader.vae(), "text_encoder": loader.text_encoder()}
    return {f"{part}.{name}": tensor for part, whole in parts.items() for name, tensor in whole.state_dict().items()}


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_converted_model_is_the_model(dtype: str, model: ModelSpec, models: Path, hooks: Any) -> None:
    folder = convert.convert(models, model, dtype, hooks)
    assert folder == models / f"tiny{weights.SUFFIXES[dtype]}"
    assert loading.locate(models, model, dtype) == folder
    assert loading.locate(models, model, "float32") == models / "tiny"
    assert weights.installed(models, model)
    loading.inspect(folder, model)
    original, copy = loaded(models / "tiny", model, dtype), loaded(folder, model, dtype)
    assert original.keys() == copy.keys()
    for name, tensor in original.items():
        assert tensor.dtype == copy[name].dtype, name
        assert torch.equal(tensor, copy[name]), name
    sizes = [sum(path.stat().st_size for path in place.rglob("*.safetensors")) for place in (models / "tiny", folder)]
    assert sizes[1] < 0.9 * sizes[0]
    assert weights.verify(models, model, hooks) == ()
    assert weights.provenance(models, model, dtype)["folder"] == folder.name


def test_a_copy_alone_serves_its_own_number_format(model: ModelSpec, models: Path, hooks: Any) -> None:
    convert.convert(models, model, "bfloat16", hooks)
    shutil.rmtree(models / "tiny")
    assert weights.installed(models, model)
    assert weights.installed(models, model, "bfloat16")
    assert not weights.installed(models, model, "float16")
    with pytest.raises(ArtifexError, match="weights are not in"):
        loading.locate(models, model, "float16")


def test_indexes_of_shards_say_the_new_size(model: ModelSpec, models: Path, hooks: Any) -> None:
    place = models / "tiny" / "transformer"
    from safetensors.torch import load_file

    names = list(load_file(place / "diffusion_pytorch_model.safetensors"))
    index = {"metadata": {"total_size": 1}, "weight_map": dict.fromkeys(names, "diffusion_pytorch_model.safetensors")}
    (place / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    folder = convert.convert(models, model, "bfloat16", hooks)
    tensors = load_file(folder / "transformer" / "diffusion_pytorch_model.safetensors")
    told = json.loads((folder / "transformer" / "diffusion_pytorch_model.safetensors.index.json").read_text())
    assert told["metadata"]["total_size"] == sum(tensor.nbytes for tensor in tensors.values())


def test_a_cancelled_conversion_leaves_nothing(model: ModelSpec, models: Path, hooks: Any) -> None:
    hooks.cancel_when = lambda heard: heard.done("convert") > 100_000
    with pytest.raises(Cancelled):
        convert.convert(models, model, "bfloat16", hooks)
    assert not (models / "tiny-bf16").exists()
    assert list((models / weights.PARTIAL).iterdir()) == []


@pytest.mark.parametrize(
    ("name", "dtype", "because"),
    [
        ("tiny", "int4", "no such copy"),
        ("tiny", "float32", "no such copy"),
        ("smoke", "bfloat16", "random weights"),
        ("gone", "bfloat16", "weights are not in"),
    ],
)
def test_what_cannot_be_converted_is_refused(
    name: str, dtype: str, because: str, model: ModelSpec, models: Path, hooks: Any
) -> None:
    asked = catalogue.model("smoke") if name == "smoke" else replace(model, name=name)
    with pytest.raises(ArtifexError, match=because):
        convert.convert(models, asked, dtype, hooks)


def test_damaged_weights_are_not_converted(model: ModelSpec, models: Path, hooks: Any) -> None:
    path = models / "tiny" / "vae" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtifexError, match="bytes instead of"):
        convert.convert(models, model, "bfloat16", hooks)


@pytest.mark.parametrize("stored", ["int8", "fp8"])
def test_a_copy_in_8_bits_serves_the_clips_that_ask_for_it(
    stored: str, model: ModelSpec, models: Path, hooks: Any
) -> None:
    folder = convert.convert(models, model, stored, hooks)
    assert folder.name == f"tiny-{stored}"
    assert loading.locate(models, model, "bfloat16", stored) == folder
    assert loading.locate(models, model, "bfloat16") == models / "tiny"
    loading.inspect(folder, model)
    assert quantised.stored(folder / "transformer_2") == stored
    spec = resolve(prompt="x", model="smoke-moe", frames=1, dtype="bfloat16")
    read = loading.Loader(folder, model, CPU, loading.formats(spec, model, CPU)).network("transformer")
    there = loading.Loader(
        models / "tiny",
        model,
        CPU,
        loading.formats(spec, model, CPU),
        Levers(quantise=stored),  # type: ignore[arg-type]
    ).network("transformer")
    given = {
        "hidden_states": torch.randn(1, 16, 1, 4, 4, dtype=torch.bfloat16),
        "timestep": torch.tensor([500.0]),
        "encoder_hidden_states": torch.randn(1, 512, 32, dtype=torch.bfloat16),
        "return_dict": False,
    }
    with torch.no_grad():
        assert torch.equal(read(**given)[0], there(**given)[0])
    assert weights.verify(models, model, hooks) == ()
    assert not weights.installed(models / "nowhere", model, "bfloat16")

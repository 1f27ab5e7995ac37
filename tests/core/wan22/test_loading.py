"""Weights that will not do are refused before any work, in words, from their headers alone."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, loading
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.request import ClipSpec, resolve

WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def model() -> ModelSpec:
    """A model with its weights on disk like any real one, as small as the random one."""
    return replace(catalogue.model("smoke"), name="tiny", random=False, repository="studio/tiny")


@pytest.fixture
def models(random_models: Path, tmp_path: Path) -> Path:
    shutil.copytree(random_models / "smoke", tmp_path / "tiny")
    return tmp_path


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def scramble(path: Path) -> None:
    path.write_bytes(b"\xff" * 4096)


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("component", ["transformer", "vae", "text_encoder"])
@pytest.mark.parametrize("damage", [cut, lengthen, empty, scramble, remove])
def test_damaged_weights_are_refused(
    damage: Callable[[Path], None], component: str, model: ModelSpec, models: Path
) -> None:
    path = next((models / "tiny" / component).glob("*.safetensors"))
    damage(path)
    with pytest.raises(ArtifexError) as refused:
        loading.inspect(models / "tiny", model)
    assert refused.value.code == "model"
    assert component in refused.value.attempted
    assert "models get tiny" in refused.value.remedy


@pytest.mark.parametrize("damage", [cut, empty, scramble, remove])
@pytest.mark.parametrize("file", ["transformer/config.json", "vae/config.json", "text_encoder/config.json"])
def test_damaged_configurations_are_refused(
    file: str, damage: Callable[[Path], None], model: ModelSpec, models: Path
) -> None:
    damage(models / "tiny" / file)
    with pytest.raises(ArtifexError, match=re.escape(file)):
        loading.inspect(models / "tiny", model)


@pytest.mark.parametrize("damage", [cut, empty, scramble])
def test_a_damaged_tokenizer_is_refused_when_it_is_read(
    damage: Callable[[Path], None], model: ModelSpec, models: Path, spec: ClipSpec
) -> None:
    damage(models / "tiny" / "tokenizer" / "tokenizer.json")
    with pytest.raises(ArtifexError, match="tokenizer"):
        loader_for(models, model, spec).tokenizer()


def test_a_missing_tokenizer_is_refused(model: ModelSpec, models: Path) -> None:
    remove(models / "tiny" / "tokenizer" / "tokenizer.json")
    with pytest.raises(ArtifexError, match="no tokenizer"):
        loading.inspect(models / "tiny", model)


def test_weights_of_another_model_are_refused_with_what_differs(
    model: ModelSpec, models: Path, random_models: Path
) -> None:
    with pytest.raises(ArtifexError, match="another model: it has two experts"):
        loading.inspect(random_models / "smoke-moe", model)
    with pytest.raises(ArtifexError, match="another model: num_layers in transformer is 2"):
        loading.inspect(models / "tiny", catalogue.model("ti2v-5B"))


def test_a_second_expert_that_is_missing_is_refused(random_models: Path, tmp_path: Path) -> None:
    shutil.copytree(random_models / "smoke-moe", tmp_path / "moe")
    shutil.rmtree(tmp_path / "moe" / "transformer_2")
    with pytest.raises(ArtifexError, match="transformer_2"):
        loading.inspect(tmp_path / "moe", catalogue.model("smoke-moe"))


def shard(folder: Path) -> dict[str, Any]:
    """Split a component's weights in two files with an index, as the published ones are."""
    tensors = load_file(folder / WEIGHTS)
    names = sorted(tensors)
    (folder / WEIGHTS).unlink()
    index: dict[str, Any] = {"metadata": {"total_size": 0}, "weight_map": {}}
    for part, chosen in enumerate((names[::2], names[1::2]), start=1):
        file = f"diffusion_pytorch_model-0000{part}-of-00002.safetensors"
        save_file({name: tensors[name] for name in chosen}, folder / file, metadata={"format": "pt"})
        index["weight_map"].update(dict.fromkeys(chosen, file))
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps(index))
    return index


def loader_for(models: Path, model: ModelSpec, spec: ClipSpec) -> loading.Loader:
    folder = loading.locate(models, model, spec.dtype)
    loading.inspect(folder, model)
    device = torch.device("cpu")
    return loading.Loader(folder, model, device, loading.formats(spec, model, device))


@pytest.fixture
def spec() -> ClipSpec:
    return resolve(prompt="x", model="smoke", frames=1)


def test_weights_in_several_files_are_the_same_weights(models: Path, model: ModelSpec, spec: ClipSpec) -> None:
    whole = loader_for(models, model, spec).transformer("transformer").state_dict()
    shard(models / "tiny" / "transformer")
    split = loader_for(models, model, spec).transformer("transformer").state_dict()
    assert whole.keys() == split.keys()
    assert all(torch.equal(tensor, split[name]) for name, tensor in whole.items())


def test_a_missing_shard_is_refused(models: Path, model: ModelSpec) -> None:
    index = shard(models / "tiny" / "transformer")
    name = sorted(set(index["weight_map"].values()))[1]
    (models / "tiny" / "transformer" / name).unlink()
    with pytest.raises(ArtifexError, match="the file is missing"):
        loading.inspect(models / "tiny", model)


def test_a_shard_without_its_tensors_is_refused(models: Path, model: ModelSpec) -> None:
    folder = models / "tiny" / "transformer"
    first, second = sorted(set(shard(folder)["weight_map"].values()))
    shutil.copyfile(folder / first, folder / second)
    with pytest.raises(ArtifexError, match="of its tensors are not in it"):
        loading.inspect(models / "tiny", model)


def test_tensors_that_the_network_needs_and_the_file_lacks_are_never_left_random(
    models: Path, model: ModelSpec, spec: ClipSpec
) -> None:
    path = models / "tiny" / "transformer" / WEIGHTS
    tensors = load_file(path)
    del tensors["proj_out.weight"]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(ArtifexError, match="missing or misshapen"):
        loader_for(models, model, spec).transformer("transformer")


def test_components_have_the_number_format_meant_for_them(models: Path, model: ModelSpec) -> None:
    loader = loader_for(models, model, resolve(prompt="x", model="smoke", frames=1, dtype="bfloat16"))
    network = loader.transformer("transformer")
    assert network.proj_out.weight.dtype == torch.bfloat16
    assert network.scale_shift_table.dtype == torch.float32
    assert loader.vae().dtype == torch.float32
    assert loader.text_encoder().dtype == torch.bfloat16


def test_the_text_encoder_shares_its_table_of_words(models: Path, model: ModelSpec, spec: ClipSpec) -> None:
    """transformers keeps the table under one of two names; the other must not be random."""
    encoder = loader_for(models, model, spec).text_encoder()
    assert torch.equal(encoder.encoder.embed_tokens.weight, encoder.shared.weight)
    assert encoder.shared.weight.abs().sum() > 0


def test_loading_asks_no_network(
    models: Path, model: ModelSpec, spec: ClipSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was asked of the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    loader = loader_for(models, model, spec)
    loader.tokenizer(), loader.text_encoder(), loader.vae(), loader.transformer("transformer")


@pytest.mark.nightly
def test_weights_are_mapped_not_copied(tmp_path: Path) -> None:
    """A network of 220 MB loaded in its own number format: main memory grows by its size once, not twice.

    Measured in a process of its own, as its highest resident size.
    """
    script = f"""
import resource, torch
from diffusers import WanTransformer3DModel
from pathlib import Path
folder = Path({str(tmp_path)!r})
def highest():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
if not folder.joinpath("config.json").exists():
    torch.set_default_dtype(torch.bfloat16)
    size = dict(num_layers=10, num_attention_heads=6, attention_head_dim=128, ffn_dim=3072)
    WanTransformer3DModel(**size).save_pretrained(folder)
else:
    before = highest()
    network = WanTransformer3DModel.from_pretrained(folder, torch_dtype=torch.bfloat16, use_safetensors=True)
    size = sum(each.numel() * each.element_size() for each in network.parameters())
    print(size, highest() - before)
"""
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", script], check=True, timeout=120, capture_output=True, text=True)
    size, grown = (int(value) for value in done.stdout.split())
    assert size > 200_000_000
    assert grown < 1.35 * size

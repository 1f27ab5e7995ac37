"""Published S2V weights in our layout: the same numbers under our names, whole or refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import catalogue, convert, loading, weights
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.download import _place
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.s2v import published

T2V = "Wan-AI/Wan2.2-T2V-A14B-Diffusers"
NETWORK = "diffusion_pytorch_model-0000{}-of-00002.safetensors"


@pytest.fixture(scope="module")
def model() -> ModelSpec:
    """The smoke model as if it were published in the layout of the real one."""
    return replace(
        catalogue.model("smoke-s2v"),
        name="tiny",
        random=False,
        published=catalogue.model("s2v-14B").published,
    )


@pytest.fixture
def arrived(model: ModelSpec, published_s2v: Path, tmp_path: Path) -> Path:
    """A folder as a download leaves it: shards with the published names, everything else in place."""
    folder = tmp_path / "tiny"
    for name in ("text_encoder", "tokenizer", "vae"):
        shutil.copytree(published_s2v / name, folder / name)
    shutil.copytree(published_s2v / "wav2vec2-large-xlsr-53-english", folder / "audio_encoder")
    published.describe(folder, model)
    for shard in published_s2v.glob("diffusion_*"):
        shutil.copyfile(shard, folder / "transformer" / shard.name)
    return folder


def _loader(folder: Path, model: ModelSpec) -> loading.Loader:
    formats = loading.Formats(torch.float32, torch.bfloat16, torch.float32)
    return loading.Loader(folder, model, torch.device("cpu"), formats)


def test_the_same_numbers_come_under_our_names(model: ModelSpec, arrived: Path, random_models: Path) -> None:
    told: list[int] = []

    class Told(Silent):
        def progress(self, stage: str, done: int, total: int) -> None:
            told.append(done)
            assert (stage, done <= total) == ("convert", True)

    written = published.arrange(arrived, model, Told())
    loading.inspect(arrived, model)
    found = _loader(arrived, model).transformer("transformer").state_dict()
    original = load_file(random_models / "smoke-s2v" / "transformer" / "diffusion_pytorch_model.safetensors")
    assert found.keys() == original.keys()
    for name, tensor in original.items():
        assert torch.equal(found[name].to(torch.bfloat16), tensor.to(torch.bfloat16)), name
    assert told == sorted(told) and told
    for name, record in written.items():
        assert (record.size, record.sha256) == (
            (arrived / name).stat().st_size,
            weights.sha256_of(arrived / name, Silent()),
        )
    assert list(arrived.rglob("*.renamed")) == []


def test_a_shard_that_is_not_there_is_refused(model: ModelSpec, arrived: Path) -> None:
    (arrived / "transformer" / NETWORK.format(2)).unlink()
    with pytest.raises(ArtifexError, match="tensors are not in them"):
        published.arrange(arrived, model, Silent())


def test_another_models_weights_are_refused(model: ModelSpec, arrived: Path) -> None:
    save_file({"img_emb.proj.0.weight": torch.zeros(2)}, arrived / "transformer" / NETWORK.format(1))
    with pytest.raises(ArtifexError, match=r"img_emb\.proj\.0\.weight that this network has no place for"):
        published.arrange(arrived, model, Silent())


def test_it_can_be_cancelled_and_leaves_the_shard_as_it_was(model: ModelSpec, arrived: Path) -> None:
    class Stopping(Silent):
        def check(self) -> None:
            raise Cancelled

    before = (arrived / "transformer" / NETWORK.format(1)).read_bytes()
    with pytest.raises(Cancelled):
        published.arrange(arrived, model, Stopping())
    assert (arrived / "transformer" / NETWORK.format(1)).read_bytes() == before


@pytest.mark.parametrize(
    ("name", "repository", "place"),
    [
        (NETWORK.format(1), "", f"transformer/{NETWORK.format(1)}"),
        ("wav2vec2-large-xlsr-53-english/model.safetensors", "", "audio_encoder/model.safetensors"),
        ("wav2vec2-large-xlsr-53-english/preprocessor_config.json", "", "audio_encoder/preprocessor_config.json"),
        ("wav2vec2-large-xlsr-53-english/vocab.json", "", ""),
        ("Wan2.1_VAE.pth", "", ""),
        ("config.json", "", ""),
        ("google/umt5-xxl/tokenizer.json", "", ""),
        ("vae/config.json", "", ""),
        ("text_encoder/model-00001-of-00005.safetensors", T2V, "text_encoder/model-00001-of-00005.safetensors"),
        ("vae/config.json", T2V, "vae/config.json"),
        ("transformer/config.json", T2V, ""),
        (NETWORK.format(1), T2V, ""),
    ],
)
def test_each_published_file_has_its_place(name: str, repository: str, place: str) -> None:
    assert _place(name, catalogue.model("s2v-14B"), repository) == place


def test_the_bf16_copy_of_arranged_weights_loads(
    model: ModelSpec, arrived: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.arrange(arrived, model, Silent())
    copy = convert.convert(arrived.parent, model, "bfloat16", Silent())
    loading.inspect(copy, model)
    assert (copy / "audio_encoder" / "model.safetensors").read_bytes() == (
        arrived / "audio_encoder" / "model.safetensors"
    ).read_bytes()


def test_a_speech_model_with_the_names_of_its_time_is_loaded(
    model: ModelSpec, arrived: Path, random_models: Path
) -> None:
    """wav2vec2-large-xlsr-53-english was saved as a part of a recogniser, with weight norms under their old names."""
    path = arrived / "audio_encoder" / "model.safetensors"
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    tensors = {}
    for name, tensor in load_file(path).items():
        for new, before in old.items():
            name = name.replace(new, before)  # noqa: PLW2901
        tensors[f"wav2vec2.{name}"] = tensor
    assert any(name.endswith("conv.weight_g") for name in tensors)
    save_file({**tensors, "lm_head.weight": torch.zeros(33, 16), "lm_head.bias": torch.zeros(33)}, path)
    _, found = _loader(arrived, model).audio_encoder()
    _, expected = _loader(random_models / "smoke-s2v", model).audio_encoder()
    assert found.state_dict().keys() == expected.state_dict().keys()
    assert all(torch.equal(tensor, expected.state_dict()[name]) for name, tensor in found.state_dict().items())

"""Random models: real files, always the same, quick."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import WanPipeline

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, loading, smoke, weights
from artifexpro.core.wan22.weights import MANIFEST, Manifest

PIPELINES = {
    "smoke": "WanPipeline",
    "smoke-moe": "WanPipeline",
    "smoke-i2v": "WanImageToVideoPipeline",
    "smoke-vace": "WanVACEPipeline",
    "smoke-s2v": "WanSpeechToVideoPipeline",
}
NAMES = tuple(PIPELINES)


@pytest.mark.parametrize("name", NAMES)
def test_a_random_model_is_the_same_wherever_it_is_built(name: str, random_models: Path, tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    torch.manual_seed(123)
    smoke.ensure(tmp_path, catalogue.model(name))
    torch.random.set_rng_state(before)
    assert Manifest.read(tmp_path / name) == Manifest.read(random_models / name)


def test_building_leaves_the_random_state_alone(tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    smoke.ensure(tmp_path, catalogue.model("smoke"))
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_random_model_is_built_once_and_again_when_its_recipe_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = catalogue.model("smoke")
    folder = smoke.ensure(tmp_path, model)
    stamp = (folder / MANIFEST).stat().st_mtime_ns
    assert smoke.ensure(tmp_path, model) == folder
    assert (folder / MANIFEST).stat().st_mtime_ns == stamp
    monkeypatch.setattr(smoke, "RECIPE", "next")
    smoke.ensure(tmp_path, model)
    found = Manifest.read(folder)
    assert found is not None and found.revision == "next"
    assert list((tmp_path / weights.PARTIAL).iterdir()) == []


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(WanPipeline, "save_pretrained", failing)
    with pytest.raises(OSError, match="no space"):
        smoke.ensure(tmp_path, catalogue.model("smoke"))
    assert not (tmp_path / "smoke").exists()
    assert list((tmp_path / weights.PARTIAL).iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_random_model_has_the_layout_of_the_real_repositories(name: str, random_models: Path) -> None:
    model = catalogue.model(name)
    index = json.loads((random_models / name / "model_index.json").read_text())
    assert index["_class_name"] == PIPELINES[name]
    assert index["boundary_ratio"] == model.boundary
    assert index.get("expand_timesteps", False) == (name == "smoke")
    for part in model.components:
        assert list((random_models / name / part.name).glob("*.safetensors")), part.name
    loading.inspect(random_models / name, model)


def test_verify_finds_a_changed_file(tmp_path: Path, hooks: Any) -> None:
    model = catalogue.model("smoke")
    folder = smoke.ensure(tmp_path, model)
    assert weights.verify(tmp_path, model, hooks) == ()
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert weights.verify(tmp_path, model, hooks) == ("smoke/vae/diffusion_pytorch_model.safetensors",)
    (folder / "model_index.json").unlink()
    assert "smoke/model_index.json" in weights.verify(tmp_path, model, hooks)


def test_verify_refuses_what_it_cannot_judge(tmp_path: Path, hooks: Any) -> None:
    model = catalogue.model("ti2v-5B")
    with pytest.raises(ArtifexError, match="weights are not in"):
        weights.verify(tmp_path, model, hooks)
    (tmp_path / model.name).mkdir()
    with pytest.raises(ArtifexError, match="put there by hand"):
        weights.verify(tmp_path, model, hooks)


def test_provenance_names_every_file(random_models: Path) -> None:
    told = weights.provenance(random_models, catalogue.model("smoke"))
    assert (told["name"], told["revision"]) == ("smoke", smoke.RECIPE)
    assert all(len(digest) == 64 for digest in told["files"].values())
    assert "transformer/diffusion_pytorch_model.safetensors" in told["files"]


def test_provenance_of_weights_put_there_by_hand_claims_nothing(tmp_path: Path) -> None:
    told = weights.provenance(tmp_path, catalogue.model("ti2v-5B"))
    assert (told["revision"], told["files"]) == (None, {})


@pytest.mark.parametrize("content", ["", "[]", '{"model": "smoke"}', '{"files": []}'])
def test_a_damaged_manifest_is_an_error_in_words(content: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(ArtifexError, match="damaged"):
        Manifest.read(tmp_path)

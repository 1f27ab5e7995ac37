"""Models carried in a folder: what arrives is what left, and damage is found on the way."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import bundle, catalogue, convert, weights
from artifexpro.core.wan22.catalogue import ModelSpec

LARGE = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    """The random model of two experts under the name of one that is got."""
    tiny = replace(catalogue.model("smoke-moe"), name="tiny", random=False, repository="studio/tiny")
    monkeypatch.setattr(catalogue, "CATALOGUE", {"tiny": tiny})
    monkeypatch.setattr("artifexpro.core.wan22.shelf.CATALOGUE", {"tiny": tiny})
    return tiny


@pytest.fixture
def models(random_models: Path, tmp_path: Path) -> Path:
    shutil.copytree(random_models / "smoke-moe", tmp_path / "here" / "tiny")
    return tmp_path / "here"


def test_what_arrives_is_what_left_with_its_copies(model: ModelSpec, models: Path, tmp_path: Path, hooks: Any) -> None:
    convert.convert(models, model, "bfloat16", hooks)
    made = bundle.write(models, tmp_path / "disk", (), hooks)
    assert sorted(folder.name for folder in made) == ["tiny", "tiny-bf16"]
    there = tmp_path / "there"
    there.mkdir()
    assert bundle.read(there, model, tmp_path / "disk", hooks) == there / "tiny"
    assert weights.verify(there, model, hooks) == ()
    assert weights.installed(there, model, "bfloat16")
    assert weights.provenance(there, model) == weights.provenance(models, model)
    assert not list((there / weights.PARTIAL).iterdir())


def test_a_copy_that_was_cut_short_goes_on(model: ModelSpec, models: Path, tmp_path: Path, hooks: Any) -> None:
    hooks.cancel_when = lambda heard: heard.done("bundle") > 100_000
    with pytest.raises(Cancelled):
        bundle.write(models, tmp_path / "disk", ("tiny",), hooks)
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "disk").rglob("*") if path.is_file()}
    assert first
    hooks.cancel_when = None
    bundle.write(models, tmp_path / "disk", ("tiny",), hooks)
    assert all(path.stat().st_mtime_ns == moment for path, moment in first.items() if path.exists())
    assert (tmp_path / "disk" / "tiny" / weights.MANIFEST).is_file()


def test_damage_on_the_way_is_found_and_nothing_is_published(
    model: ModelSpec, models: Path, tmp_path: Path, hooks: Any
) -> None:
    bundle.write(models, tmp_path / "disk", (), hooks)
    damaged = tmp_path / "disk" / "tiny" / LARGE
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    there = tmp_path / "there"
    there.mkdir()
    with pytest.raises(ArtifexError, match="checksum differs") as failed:
        bundle.read(there, model, tmp_path / "disk", hooks)
    assert failed.value.code == "checksum"
    assert not (there / "tiny").exists()


@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_a_folder_that_is_no_bundle_is_refused(place: str, model: ModelSpec, tmp_path: Path, hooks: Any) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifexError, match="no such") as refused:
        bundle.read(tmp_path, model, tmp_path / place, hooks)
    assert "models bundle" in refused.value.remedy


def test_weights_without_a_manifest_and_unknown_models_are_not_bundled(
    model: ModelSpec, models: Path, tmp_path: Path, hooks: Any
) -> None:
    with pytest.raises(ArtifexError, match="wan9 is not here"):
        bundle.write(models, tmp_path / "disk", ("wan9",), hooks)
    (models / "tiny" / weights.MANIFEST).unlink()
    with pytest.raises(ArtifexError, match="by hand"):
        bundle.write(models, tmp_path / "disk", (), hooks)


def test_a_full_disk_is_refused_before_anything_is_copied(
    model: ModelSpec, models: Path, tmp_path: Path, hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=10))
    with pytest.raises(ArtifexError, match="are free there") as refused:
        bundle.write(models, tmp_path / "disk", (), hooks)
    assert refused.value.code == "disk"
    assert not (tmp_path / "disk").exists()

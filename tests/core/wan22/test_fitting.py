"""A card that runs out of memory, played by networks that say so: the clip goes on in a smaller way and says it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import WanTransformer3DModel
from diffusers.models.autoencoders.autoencoder_kl_wan import WanDecoder3d

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import here
from artifexpro.core.wan22.generate import LATENTS, generate, load_latents
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.plan import memory
from artifexpro.core.wan22.request import ClipSpec

Small = Callable[..., ClipSpec]


@pytest.fixture
def small_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that believes it has a card of 24 GB, which holds less than this small network's two blocks."""
    monkeypatch.setattr(memory, "BLOCKS_HELD", 1)
    monkeypatch.setattr(here, "machine", lambda device: here.Here(24.0, 64.0, "a card"))


def failing(monkeypatch: pytest.MonkeyPatch, kind: Any, calls: list[int], *at: int) -> None:
    """Forward passes of `kind` number `at` run out of memory; `calls` counts them."""
    forward = kind.forward

    def counting(self: Any, *inputs: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) in at:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, *inputs, **more)

    monkeypatch.setattr(kind, "forward", counting)


def clip(spec: ClipSpec, models: Path, hooks: Any, folder: Path) -> torch.Tensor:
    return torch.stack([picture for _, picture in generate(spec, models, hooks, folder=folder)])


def test_denoising_goes_on_at_the_step_that_failed(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_card: None
) -> None:
    spec = small(task="t2v")
    expected = clip(spec, random_models, Silent(), tmp_path / "plain")
    calls: list[int] = []
    failing(monkeypatch, WanTransformer3DModel, calls, 6)
    made = clip(spec, random_models, hooks, tmp_path / "made")
    torch.testing.assert_close(made, expected, rtol=0, atol=1e-5)
    assert len(calls) == 8 + 2
    (said,) = [note for note in hooks.notes if "ran out of memory" in note]
    assert "while denoising; from here on the networks come to the card block by block" in said
    assert [done for stage, done, _ in hooks.told if stage == "denoise"] == [1, 2, 3, 4]
    assert load_latents(tmp_path / "made" / LATENTS)[1].levers == Levers(offload="block")


def test_frames_that_left_are_not_made_twice(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_card: None
) -> None:
    spec = small(task="t2v", width=288, height=32, frames=9, steps=1)
    expected = clip(spec, random_models, Silent(), tmp_path / "plain")
    calls: list[int] = []
    failing(monkeypatch, WanDecoder3d, calls, 2)
    made = clip(spec, random_models, hooks, tmp_path / "made")
    assert any("while decoding; from here on pictures are decoded in tiles of 256" in note for note in hooks.notes)
    assert made.shape == expected.shape
    assert torch.equal(made[0], expected[0])
    assert float((made - expected).abs().mean()) < 0.05


def test_where_nothing_smaller_is_left_the_failure_says_what_to_do(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_card: None
) -> None:
    failing(monkeypatch, WanDecoder3d, [], *range(1, 99))
    with pytest.raises(ArtifexError, match="ran out of memory and nothing that needs less is left") as failed:
        clip(small(task="t2v", steps=1), random_models, hooks, tmp_path)
    assert failed.value.code == "memory"
    assert (tmp_path / LATENTS).is_file()


def test_a_clip_that_cannot_fit_is_refused_before_anything_is_loaded(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here, "machine", lambda device: here.Here(0.001, 64.0, "a card"))
    with pytest.raises(ArtifexError, match=r"the card has 0\.001 GB") as refused:
        clip(small(task="t2v"), random_models, hooks, tmp_path)
    assert refused.value.code == "memory"
    assert hooks.told == []


def test_no_disk_for_latents_and_frames_is_refused_before_the_work(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=1000))
    with pytest.raises(ArtifexError, match="they and the frames take up to") as refused:
        clip(small(), random_models, hooks, tmp_path / "not" / "there")
    assert refused.value.code == "disk"
    assert hooks.stages == []


@pytest.mark.parametrize(("profile", "acts"), [("Memory", "quantise"), ("Quality", "ensemble"), ("Speed", "cache")])
def test_a_profile_acts_and_what_ran_is_kept_with_the_latents(
    profile: str, acts: str, random_models: Path, small: Small, hooks: Any, tmp_path: Path
) -> None:
    asked = small(task="t2v", profile=profile, steps=5)
    plain = small(task="t2v", steps=5)
    made = clip(asked, random_models, hooks, tmp_path / "made")
    assert not torch.equal(made, clip(plain, random_models, Silent(), tmp_path / "plain"))
    run = load_latents(tmp_path / "made" / LATENTS)[1]
    assert getattr(run.levers, acts) != getattr(Levers(), acts)
    assert run.profile == profile
    if profile == "Quality":
        assert any("Quality without averaged weights: there are none" in note for note in hooks.notes)
    if profile == "Speed":
        assert any("Speed without faster attention and compiled blocks" in note for note in hooks.notes)

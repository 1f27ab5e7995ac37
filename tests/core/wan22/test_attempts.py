"""Out of memory in any stage: the next plan down, said, with nothing finished lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import WanTransformer3DModel
from diffusers.models.autoencoders.autoencoder_kl_wan import WanDecoder3d
from transformers import UMT5EncoderModel

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import attempts, decode, generate, here, plan
from artifexpro.core.wan22.generate import LATENTS, load_latents
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.request import ClipSpec

CARD = here.Here(24.0, 64.0, "NVIDIA GeForce RTX 4090")


@pytest.fixture(autouse=True)
def on_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are made for a card; the work is done where the test runs."""
    monkeypatch.setattr(here, "machine", lambda device: CARD)


def failing(monkeypatch: pytest.MonkeyPatch, kind: Any, at: int, times: int = 1) -> list[int]:
    """Let the forward pass number `at` (and the `times` - 1 after it) of `kind` run out of memory; counts passes."""
    passes: list[int] = []
    forward = kind.forward

    def limited(self: Any, *inputs: Any, **more: Any) -> Any:
        passes.append(1)
        if at <= len(passes) < at + times:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return forward(self, *inputs, **more)

    monkeypatch.setattr(kind, "forward", limited)
    return passes


def clip(spec: ClipSpec, models: Path, folder: Path, hooks: Any = None) -> torch.Tensor:
    frames = list(generate.generate(spec, models, hooks or Silent(), folder=folder, device="cpu"))
    assert [index for index, _ in frames] == list(range(spec.frames))
    return torch.stack([picture for _, picture in frames])


@pytest.fixture
def by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """The only step down is to bring networks block by block, which changes no picture. (A random network is too small
    for that to need less than the whole.)"""

    def ladder(spec: ClipSpec, *_: Any, levers: Levers, **__: Any) -> Any:
        made = plan.make(replace(spec, levers=replace(levers, offload="block")), 24.0)
        yield plan.Step(made, "The card ran out of memory while denoising; from here on block by block.")

    monkeypatch.setattr(attempts.plan, "ladder", ladder)


@pytest.mark.usefixtures("by_block")
def test_denoising_goes_on_at_the_step_that_failed_with_networks_block_by_block(
    random_models: Path,
    small: Callable[..., ClipSpec],
    hooks: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four guided steps are eight passes; the fifth, in step 3, fails and is the only one that is done again."""
    spec = small(task="t2v")
    expected = clip(spec, random_models, tmp_path / "whole")
    passes = failing(monkeypatch, WanTransformer3DModel, at=5)
    made = clip(spec, random_models, tmp_path / "interrupted", hooks)
    torch.testing.assert_close(made, expected, rtol=0, atol=1e-5)
    assert len(passes) == 8 + 1
    assert [told for told in hooks.told if told[0] == "denoise"] == [("denoise", step, 4) for step in range(1, 5)]
    assert hooks.stages.count("text") == hooks.stages.count("encode") == 1
    said = [note for note in hooks.notes if "ran out of memory while denoising" in note]
    assert len(said) == 1 and "block by block" in said[0]
    assert load_latents(tmp_path / "interrupted" / LATENTS)[1].levers.offload == "block"
    assert load_latents(tmp_path / "whole" / LATENTS)[1].levers == Levers()


def test_the_real_ladder_ends_in_a_picture_that_is_nearly_the_same(
    random_models: Path, small: Callable[..., ClipSpec], hooks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = clip(small(), random_models, tmp_path / "whole")
    failing(monkeypatch, WanTransformer3DModel, at=3)
    made = clip(small(), random_models, tmp_path / "interrupted", hooks)
    assert any("8 bits" in note for note in hooks.notes)
    assert 0 < float((made - expected).abs().max()) < 0.05


@pytest.mark.usefixtures("by_block")
def test_the_other_expert_is_loaded_with_the_new_levers(
    random_models: Path, small: Callable[..., ClipSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small(model="smoke-moe", steps=6)
    expected = clip(spec, random_models, tmp_path / "whole")
    failing(monkeypatch, WanTransformer3DModel, at=2)
    again = clip(spec, random_models, tmp_path / "interrupted")
    torch.testing.assert_close(again, expected, rtol=0, atol=1e-5)


def test_reading_the_text_goes_to_the_processor(
    random_models: Path,
    small: Callable[..., ClipSpec],
    hooks: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There it is the processor already, which `placement` refuses; the ladder must not end in a loop."""
    failing(monkeypatch, UMT5EncoderModel, at=1, times=100)
    with pytest.raises(ArtifexError, match="nothing that needs less is left") as failed:
        clip(small(prompt="never read before"), random_models, tmp_path, hooks)
    assert failed.value.code == "memory"
    assert "denoise" not in hooks.stages


def test_decoding_begins_again_in_tiles_and_hands_out_every_frame_once(
    random_models: Path,
    small: Callable[..., ClipSpec],
    hooks: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first chunk (a frame) is out when the second one fails."""
    spec = small(width=320, height=320, steps=1)
    whole = clip(spec, random_models, tmp_path / "whole")
    tiled = torch.cat(list(decode.chunks(*_saved(tmp_path / "whole", random_models), tile=256)))
    failing(monkeypatch, WanDecoder3d, at=2)
    made = clip(spec, random_models, tmp_path / "interrupted", hooks)
    assert torch.equal(made[:1], whole[:1])
    assert torch.equal(made[1:], tiled[1:])
    assert not torch.equal(made[1:], whole[1:])
    assert any("ran out of memory while decoding" in note and "tiles of 256" in note for note in hooks.notes)


def _saved(folder: Path, models: Path) -> tuple[torch.Tensor, Any]:
    from artifexpro.core.wan22 import catalogue

    latents, spec = load_latents(folder / LATENTS)
    return latents, generate.prepare(spec, catalogue.model(spec.model), models, "cpu").vae()


def test_when_nothing_smaller_is_left_it_is_an_error_in_words(
    random_models: Path, small: Callable[..., ClipSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, WanTransformer3DModel, at=1, times=100)
    with pytest.raises(ArtifexError, match="nothing that needs less is left") as failed:
        clip(small(), random_models, tmp_path)
    assert "2.00 GiB" in failed.value.because
    assert "smaller or shorter clip" in failed.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_is_refused_with_what_would(small: Callable[..., ClipSpec], tmp_path: Path) -> None:
    spec = small(model="t2v-A14B", width=1280, height=720, frames=81)
    with pytest.raises(ArtifexError, match="1280 x 720 with t2v-A14B") as refused:
        here.fitting(spec, here.Here(8.0, 16.0, CARD.card), tmp_path)
    assert refused.value.code == "memory"
    assert refused.value.remedy.startswith(("the nearest that fits", "nothing smaller fits"))
    assert refused.value.remedy not in refused.value.because


def test_a_clip_that_does_not_fit_is_refused_before_anything_is_loaded(
    random_models: Path, small: Callable[..., ClipSpec], hooks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here, "machine", lambda device: here.Here(1e-6, 64.0, CARD.card))
    with pytest.raises(ArtifexError, match="64 x 64 with smoke") as refused:
        clip(small(), random_models, tmp_path, hooks)
    assert refused.value.code == "memory"
    assert set(hooks.stages) <= {"load"}


def test_a_clip_is_computed_as_its_plan_says(
    random_models: Path, small: Callable[..., ClipSpec], tmp_path: Path
) -> None:
    spec = small(profile="Memory", width=320, height=320, steps=1)
    fitting = here.fitting(spec, CARD, random_models)
    assert fitting.levers == plan.make(spec, CARD.vram_gb, random_models, CARD.ram_gb, card=CARD.card).levers
    assert (fitting.levers.offload, fitting.levers.tile) == ("block", 256)


@pytest.mark.parametrize("error", [RuntimeError("no"), ValueError("no")])
def test_other_errors_are_left_alone(error: Exception, random_models: Path, small: Any, hooks: Any) -> None:
    def work(loader: Any) -> None:
        raise error

    tried = attempts.Attempts(small(), None, CARD, random_models, hooks)  # type: ignore[arg-type]
    with pytest.raises(type(error)):
        tried.go("denoise", work)
    assert hooks.notes == []

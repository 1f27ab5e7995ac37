"""What averaged passes, shared noise and smoothed motion promise is measured, and none of it is on by default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import WanTransformer3DModel

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import loop, quality
from artifexpro.core.wan22.generate import LATENTS, generate, load_latents
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.quality import Spun, shared, smoothed
from artifexpro.core.wan22.request import resolve

LONG: dict[str, Any] = {"frames": 13, "width": 32, "height": 32}
CLIP: dict[str, Any] = {"prompt": "a red kite", "model": "smoke-moe", "steps": 2, "shift": 5.0, "seed": 3}
LARGE: dict[str, Any] = {"frames": 9, "width": 96, "height": 96}


def network() -> Any:
    torch.manual_seed(4)
    return WanTransformer3DModel(
        num_layers=2,
        num_attention_heads=2,
        attention_head_dim=12,
        ffn_dim=16,
        in_channels=4,
        out_channels=4,
        text_dim=8,
        freq_dim=16,
    ).eval()


ASKED: dict[str, Any] = {"timestep": torch.tensor([500.0]), "return_dict": False}


def answer(of: Any, latents: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return of(hidden_states=latents, encoder_hidden_states=torch.ones(1, 512, 8), **ASKED)[0]


@pytest.mark.parametrize("passes", [2, 4])
def test_an_ensemble_asks_as_often_as_it_says_and_changes_the_clip(
    passes: int, make: Any, plain: Any, blocks: Counter[str]
) -> None:
    before = plain()
    blocks.clear()
    made = make(Levers(ensemble=passes))
    assert blocks["block"] == passes * 2 * 2 * 2
    assert not torch.equal(made, before)


def test_an_ensemble_depends_less_on_where_the_patches_lie() -> None:
    """Moving the latents by one, half a patch, should move the answer by one and change nothing else."""
    bare = network()
    latents = torch.randn(1, 4, 2, 12, 12, generator=torch.Generator().manual_seed(1))
    inner = (..., slice(2, -2), slice(2, -2))

    def dependence(of: Any) -> float:
        moved = torch.roll(answer(of, torch.roll(latents, (1, 1), (-2, -1))), (-1, -1), (-2, -1))
        return float((moved - answer(of, latents))[inner].abs().mean())

    assert dependence(Spun(bare, 2)) < 0.5 * dependence(bare)
    assert dependence(Spun(bare, 4)) < 0.5 * dependence(bare)


def test_pictures_among_the_arguments_move_with_the_latents() -> None:
    """A network that adds what it is told to its latents: moved apart, they would not fit together again."""

    def adding(hidden_states: torch.Tensor, hint: torch.Tensor, size: torch.Tensor) -> tuple[torch.Tensor]:
        assert size.shape == (2,)
        return (hidden_states + hint,)

    latents, hint = torch.randn(2, 1, 4, 2, 6, 8)
    spun = Spun(adding, 4)
    assert torch.allclose(spun(hidden_states=latents, hint=hint, size=torch.zeros(2))[0], latents + hint, atol=1e-6)


def test_an_ensemble_has_a_step_cache_for_each_pass() -> None:
    entered: list[str] = []

    class Cached:
        is_cache_enabled = True

        def cache_context(self, name: str) -> Any:
            entered.append(name)
            return torch.no_grad()

        def __call__(self, hidden_states: torch.Tensor) -> tuple[torch.Tensor]:
            return (hidden_states,)

    spun = Spun(Cached(), 2)
    with spun.cache_context("shown"):
        spun(hidden_states=torch.zeros(1, 1, 1, 4, 4))
    assert entered == ["shown 0 0", "shown 1 1"]


def test_shared_noise_stays_noise() -> None:
    """Mean 0, variance 1, and as grey in every frequency as before."""
    noise = shared(loop.noise((1, 16, 8, 32, 32), 3, "cpu"), 0.8, 3)
    assert float(noise.mean()) == pytest.approx(0, abs=0.02)
    assert float(noise.std()) == pytest.approx(1, abs=0.02)
    power = torch.fft.rfft2(noise, norm="ortho").abs().square().mean(dim=(0, 1, 2))
    assert float(power[0:4, 0:4].mean()) == pytest.approx(1, abs=0.3)
    assert float(power[8:24, 8:].mean()) == pytest.approx(1, abs=0.1)


def test_shared_noise_is_common_at_low_frequencies_only() -> None:
    noise = shared(loop.noise((1, 16, 8, 32, 32), 3, "cpu"), 0.8, 3)
    spectrum = torch.fft.rfft2(noise, norm="ortho")[0]
    between = (spectrum[:, 0] * spectrum[:, 5].conj()).real.mean(dim=0)
    assert float(between[0, 0]) > 0.4
    assert float(between[8:24, 8:].abs().mean()) < 0.25
    assert torch.equal(noise, shared(loop.noise((1, 16, 8, 32, 32), 3, "cpu"), 0.8, 3))


def test_nothing_shared_is_the_same_noise() -> None:
    noise = loop.noise((1, 4, 3, 4, 4), 3, "cpu")
    assert shared(noise, 0.0, 3) is noise


@pytest.fixture
def denoised(random_models: Path, tmp_path: Path) -> Callable[..., torch.Tensor]:
    """A clip's latents: a random decoder flickers by itself."""

    def clip(levers: Levers, **changes: Any) -> torch.Tensor:
        spec = resolve(**{**CLIP, **changes}, levers=levers)
        next(generate(spec, random_models, Silent(), folder=tmp_path, device="cpu"))
        return load_latents(tmp_path / LATENTS)[0]

    return clip


def test_the_layout_of_a_clip_of_shared_noise_changes_less_in_time(denoised: Any) -> None:
    changes = []
    for share in (0.0, 0.5, 1.0):
        layout = torch.nn.functional.avg_pool3d(denoised(Levers(consistency=share), **LARGE), (1, 4, 4))
        changes.append(float(layout.diff(dim=2).square().mean()))
    assert changes[1] < 0.85 * changes[0]
    assert changes[2] < 0.75 * changes[1]


def test_a_smoothed_clip_jitters_less_and_more_so_at_more(denoised: Any) -> None:
    jitter = [
        float(denoised(Levers(smoothing=smoothing), **LONG).diff(n=2, dim=2).square().mean())
        for smoothing in (0.0, 0.3, 1.0)
    ]
    assert jitter[1] < 0.6 * jitter[0]
    assert jitter[2] < 0.5 * jitter[1]


def test_even_motion_passes_unchanged_and_swings_are_damped_as_said() -> None:
    times = torch.arange(21.0).view(1, 1, -1, 1, 1)
    even = 0.3 * times.expand(1, 2, 21, 2, 2) + 1
    swinging = torch.where(times % 2 == 0, 1.0, -1.0).expand(1, 2, 21, 2, 2)
    for estimate, factor in ((even, 1.0), (swinging, 1 / (1 + 16 * 0.25))):
        latents = torch.randn(1, 2, 21, 2, 2, generator=torch.Generator().manual_seed(1))
        velocity = (latents - estimate) / 0.4
        calm = latents - 0.4 * smoothed(velocity, latents, 0.4, 1.0, last=False)
        assert torch.allclose(calm[:, :, 8:13], factor * estimate[:, :, 8:13], atol=1e-2)


@pytest.mark.parametrize(
    ("sigma", "last", "acts"), [(0.9, False, False), (0.5, False, True), (0.1, False, True), (0.9, True, True)]
)
def test_motion_is_smoothed_late_and_always_in_the_last_step(sigma: float, last: bool, acts: bool) -> None:
    velocity, latents = torch.randn(2, 1, 2, 5, 2, 2)
    assert torch.equal(smoothed(velocity, latents, sigma, 0.5, last), velocity) is not acts
    assert torch.equal(smoothed(velocity, latents, sigma, 0.0, last), velocity)


@pytest.mark.parametrize(
    ("levers", "frames", "because"),
    [(Levers(consistency=0.5), 1, "a single picture"), (Levers(smoothing=0.5), 5, "too short")],
)
def test_clips_too_short_to_act_on_are_refused(
    levers: Levers, frames: int, because: str, make: Any, hooks: Any
) -> None:
    with pytest.raises(ArtifexError, match=because):
        make(levers, hooks, frames=frames)
    assert hooks.stages == ["load"]


def test_passes_go_round_the_four_places_of_a_patch() -> None:
    assert sorted(quality.SHIFTS) == [(0, 0), (0, 1), (1, 0), (1, 1)]

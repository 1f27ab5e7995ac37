"""The noise levels: the reference's, diffusers' on request, and given ones exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UniPCMultistepScheduler

from artifexpro.core.wan22.loop import HIGH_NOISE, expert_of
from artifexpro.core.wan22.schedule import make, shifted


def unipc(steps: int, shift: float) -> Any:
    scheduler: Any = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift)
    scheduler.set_timesteps(steps)
    return scheduler


@pytest.mark.parametrize(("steps", "shift"), [(25, 5.0), (40, 12.0), (60, 3.0)])
def test_levels_are_the_references(steps: int, shift: float) -> None:
    """The formula of Wan-Video/Wan2.2, wan/utils/fm_solvers_unipc.py, written out."""
    unshifted = np.linspace(1.0 - 1.0 / 1000, 0.0, steps + 1)[:-1]
    expected = shift * unshifted / (1 + (shift - 1) * unshifted)
    made = make(steps, shift)
    assert np.abs(made.sigmas[:-1].numpy() - expected).max() < 1e-6
    assert made.sigmas[-1] == 0
    assert made.timesteps.tolist() == (expected * 1000).astype(np.int64).tolist()


def test_levels_of_diffusers_are_diffusers() -> None:
    theirs = unipc(40, 12.0)
    ours = make(40, 12.0, spacing="diffusers")
    assert torch.equal(ours.timesteps, theirs.timesteps)
    assert torch.equal(ours.sigmas, theirs.sigmas)


def test_the_reference_starts_a_little_below_pure_noise() -> None:
    """sigma 0.9999166 against diffusers' 0.9999990, 19 of 40 timesteps different by up to 7."""
    reference, theirs = make(40, 12.0), make(40, 12.0, spacing="diffusers")
    assert float(reference.sigmas[0]) == pytest.approx(0.9999166, abs=1e-7)
    differences = (reference.timesteps - theirs.timesteps).abs()
    assert (int((differences > 0).sum()), int(differences.max())) == (19, 7)


@pytest.mark.parametrize("scheduler", ["unipc", "euler"])
def test_given_levels_are_exact(scheduler: str) -> None:
    made = make(4, 5.0, scheduler, sigmas=(1.0, 0.75, 0.5, 0.25))
    assert made.timesteps.tolist() == pytest.approx([1000, 937.5, 2500 / 3, 625])
    assert made.sigmas.tolist() == pytest.approx([1, 0.9375, 5 / 6, 0.625, 0], abs=2e-6)


@pytest.mark.parametrize(("shift", "boundary", "high"), [(12.0, 0.875, 26), (5.0, 0.9, 15)])
def test_experts_share_forty_steps_as_in_the_reference(shift: float, boundary: float, high: int) -> None:
    made = make(40, shift)
    assert sum(expert_of(float(timestep), boundary) == HIGH_NOISE for timestep in made.timesteps) == high


def test_the_shift_keeps_both_ends() -> None:
    assert (shifted(0.0, 12.0), shifted(1.0, 12.0)) == (0.0, 1.0)


@pytest.mark.parametrize("scheduler", ["unipc", "euler"])
def test_a_perfect_network_leads_to_the_picture(scheduler: str) -> None:
    """With the true velocity, noise minus picture, every solver ends at the picture."""
    picture, noise = torch.randn(1, 2, 1, 4, 4), torch.randn(1, 2, 1, 4, 4)
    made = make(6, 5.0, scheduler)
    sigma = float(made.sigmas[0])
    latents = (1 - sigma) * picture + sigma * noise
    for index in range(len(made)):
        latents = made.step(index, noise - picture, latents)
    assert torch.allclose(latents, picture, atol=1e-4)

"""The noise levels: the reference's, diffusers' on request, and given ones exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UniPCMultistepScheduler

from artifexpro.core.wan22.loop import HIGH_NOISE, expert_of
from artifexpro.core.wan22.request import SCHEDULERS
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


@pytest.mark.parametrize("scheduler", SCHEDULERS)
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


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_perfect_network_leads_to_the_picture(scheduler: str) -> None:
    """With the true velocity, noise minus picture, every solver ends at the picture."""
    picture, noise = torch.randn(1, 2, 1, 4, 4), torch.randn(1, 2, 1, 4, 4)
    made = make(6, 5.0, scheduler)
    sigma = float(made.sigmas[0])
    latents = (1 - sigma) * picture + sigma * noise
    for index in range(len(made)):
        latents = made.step(index, noise - picture, latents)
    assert torch.allclose(latents, picture, atol=1e-4)


class Official:
    """What FlowUniPCMultistepScheduler and FlowDPMSolverMultistepScheduler of Wan-Video/Wan2.2 (wan/utils) answer when
    a clip of the numbers -1, 0.25 and 1.5 is denoised by the velocity 0.3 x + sin(timestep / 100), as text2video.py
    calls them. `high` steps belong to the high noise expert at boundary 0.875."""

    def __init__(self, high: int, timesteps: str, sigmas: str, clip: tuple[float, float, float]) -> None:
        self.high = high
        self.timesteps = [int(timestep) for timestep in timesteps.split()]
        self.sigmas = [float(sigma) for sigma in sigmas.split()]
        self.clip = clip


OFFICIAL = {
    ("unipc", 8, 5.0): Official(
        4,
        "999 972 937 892 833 749 624 416",
        "0.9998 0.972006 0.937265 0.892602 0.833055 0.7497 0.624687 0.416389 0",
        (-0.398771, 0.519364, 1.4375),
    ),
    ("dpm++", 8, 5.0): Official(
        4,
        "1000 972 937 892 833 750 625 416",
        "1 0.972222 0.9375 0.892857 0.833333 0.75 0.625 0.416667 0",
        (-0.430633, 0.487121, 1.404874),
    ),
    ("unipc", 20, 12.0): Official(
        13,
        "999 995 990 985 979 972 965 956 947 936 922 907 888 865 837 799 749 678 571 386",
        "0.999917 0.995546 0.990735 0.985412 0.979492 0.972868 0.965406 0.956938 0.947244 0.936037 0.922935 0.90741 "
        "0.888724 0.865801 0.837014 0.799787 0.749765 0.678989 0.571156 0.386847 0",
        (-0.389016, 0.530371, 1.449758),
    ),
    ("dpm++", 20, 12.0): Official(
        13,
        "1000 995 990 985 979 972 965 957 947 936 923 907 888 865 837 800 750 679 571 387",
        "1 0.995633 0.990826 0.985507 0.979592 0.972973 0.965517 0.957055 0.947368 0.93617 0.923077 0.907563 0.888889 "
        "0.865979 0.837209 0.8 0.75 0.679245 0.571429 0.387097 0",
        (-0.408601, 0.510675, 1.429951),
    ),
}


@pytest.mark.parametrize("case", OFFICIAL, ids=str)
def test_schedules_and_solvers_are_the_official_ones(case: tuple[str, int, float]) -> None:
    scheduler, steps, shift = case
    official, made = OFFICIAL[case], make(steps, shift, scheduler)
    assert made.timesteps.tolist() == official.timesteps
    assert made.sigmas.tolist() == pytest.approx(official.sigmas, abs=1e-6)
    assert sum(expert_of(float(timestep), 0.875) == HIGH_NOISE for timestep in made.timesteps) == official.high
    clip = torch.tensor([-1.0, 0.25, 1.5]).view(1, 1, 1, 1, 3)
    for index, timestep in enumerate(made.timesteps.tolist()):
        clip = made.step(index, 0.3 * clip + torch.sin(torch.tensor(timestep / 100)), clip)
    assert clip.flatten().tolist() == pytest.approx(official.clip, abs=2e-6)

"""The noise schedule: which noise levels a clip passes through, and the solver that steps between them.

A flow model sees x = (1 - sigma) * picture + sigma * noise at timestep 1000 * sigma. The shift s moves levels towards
noise: sigma' = s * sigma / (1 + (s - 1) * sigma).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from artifexpro.core.lazy import numpy, torch
from artifexpro.core.wan22.catalogue import TRAINED_STEPS

if TYPE_CHECKING:
    from torch import Tensor

Spacing = Literal["reference", "diffusers"]
_HIGHEST = 1.0 - 1.0 / TRAINED_STEPS


@dataclass(frozen=True, slots=True)
class Schedule:
    """`timesteps` (N,) are what the network is told, `sigmas` (N + 1,) the levels with 0 at the end, both on the
    processor. `solver` is stateful: one schedule serves one clip."""

    timesteps: Tensor
    sigmas: Tensor
    solver: Any
    first: int = 0
    """How many of the solver's steps come before these."""

    def __len__(self) -> int:
        return len(self.timesteps)

    def step(self, index: int, velocity: Tensor, latents: Tensor) -> Tensor:
        """Latents at the next level from the network's `velocity` (noise minus picture) at level `index`."""
        timestep = self.solver.timesteps[self.first + index]
        following: Tensor = self.solver.step(velocity, timestep, latents, return_dict=False)[0]
        return following

    def last(self, steps: int) -> Schedule:
        """The last `steps` of this schedule, for a clip that begins from another one. Takes the solver over."""
        skipped = len(self) - steps
        self.solver.set_begin_index(self.first + skipped)
        return replace(
            self, timesteps=self.timesteps[skipped:], sigmas=self.sigmas[skipped:], first=self.first + skipped
        )


def taken(steps: int, strength: float) -> int:
    """How many of `steps` are taken at `strength` (0..1): the share of them, rounded down."""
    return int(steps * strength + 1e-6)


def shifted(level: float, shift: float) -> float:
    """`level` (unshifted sigma, 0..1) after the shift."""
    return shift * level / (1 + (shift - 1) * level)


def levels(steps: int, spacing: Spacing = "reference", scheduler: str = "unipc") -> list[float]:
    """Unshifted levels of `steps` steps, evenly from the top.

    "reference" is Wan-Video/Wan2.2, wan/utils: from 0.999 (fm_solvers_unipc.py) or, for DPM++, from 1 (fm_solvers.py)
    to (not including) 0. "diffusers" is UniPCMultistepScheduler with use_flow_sigmas: from 1 to (not including) 0.001.
    """
    if spacing == "diffusers":
        top, bottom = 1.0, 1.0 / TRAINED_STEPS
    else:
        top, bottom = (1.0 if scheduler == "dpm++" else _HIGHEST), 0.0
    return [top + (bottom - top) * step / steps for step in range(steps)]


def make(
    steps: int,
    shift: float,
    scheduler: str = "unipc",
    sigmas: Sequence[float] | None = None,
    spacing: Spacing = "reference",
) -> Schedule:
    """A schedule of `steps` steps, or of the unshifted levels `sigmas` exactly (weights distilled to few steps).

    Timesteps of evenly spaced schedules are cut to whole numbers, as the reference does; those of given levels are
    exact: 1, 0.75, 0.5, 0.25 at shift 5 are 1000, 937.5, 833.3 and 625.
    """
    chosen = list(sigmas) if sigmas is not None else levels(steps, spacing, scheduler)
    solver = _SOLVERS[scheduler](chosen, shift)
    solver.set_begin_index(0)
    exact = torch.tensor([shifted(level, shift) * TRAINED_STEPS for level in chosen], dtype=torch.float64)
    timesteps = exact.to(torch.float32) if sigmas is not None else solver.timesteps.to(torch.int64)
    return Schedule(timesteps.cpu(), solver.sigmas.cpu(), solver)


def _unipc(chosen: list[float], shift: float) -> Any:
    from diffusers import UniPCMultistepScheduler

    solver: Any = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift)
    solver.set_timesteps(sigmas=numpy.array(chosen))
    return solver


def _euler(chosen: list[float], shift: float) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    solver: Any = FlowMatchEulerDiscreteScheduler(num_train_timesteps=TRAINED_STEPS, shift=shift)
    solver.set_timesteps(sigmas=numpy.array(chosen))
    return solver


def _dpm(chosen: list[float], shift: float) -> Any:
    """DPM-Solver++ of second order, midpoint. diffusers takes no levels here, so they are put in place of its own."""
    from diffusers import DPMSolverMultistepScheduler

    solver: Any = DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift)
    solver.set_timesteps(len(chosen))
    noise = [shifted(level, shift) for level in chosen]
    solver.sigmas = torch.tensor([*noise, 0.0], dtype=torch.float64).to(torch.float32)
    solver.timesteps = torch.tensor([level * TRAINED_STEPS for level in noise], dtype=torch.float64).to(torch.int64)
    return solver


_SOLVERS: Mapping[str, Callable[[list[float], float], Any]] = {"unipc": _unipc, "dpm++": _dpm, "euler": _euler}

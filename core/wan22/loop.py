"""The denoising loop: one for all models.

diffusers' pipelines decide on guidance once for both experts, which wastes or loses unconditional passes, and decode
what was cancelled. Here each step asks the expert of its noise level, guides by that expert's own figure, and can be
stopped before it begins, or taken up again where it failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import quality, stepcache
from artifexpro.core.wan22.catalogue import TRAINED_STEPS
from artifexpro.core.wan22.condition import Condition, Free
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.preview import PreviewMap
from artifexpro.core.wan22.schedule import Schedule

if TYPE_CHECKING:
    from torch import Tensor
    from torch import dtype as DType

HIGH_NOISE, LOW_NOISE = "transformer", "transformer_2"


@dataclass(frozen=True, slots=True)
class Guidance:
    """Embeddings (1, 512, D) of what to show and what to avoid, and how strongly: (low noise, high noise).

    1.0 is no guidance: the unconditional pass is left out, and `avoid` may be None when both are 1.0.
    """

    show: Tensor
    avoid: Tensor | None
    strength: tuple[float, float]

    def strength_of(self, expert: str) -> float:
        return self.strength[1] if expert == HIGH_NOISE else self.strength[0]


def noise(shape: tuple[int, ...], seed: int, device: Any) -> Tensor:
    """Where a clip starts: float32, drawn on the processor, so the same on every device."""
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float32).to(device)


def expert_of(timestep: float, boundary: float | None) -> str:
    """Which network works at `timestep`: the high noise one from the boundary up."""
    return HIGH_NOISE if boundary is None or timestep >= boundary * TRAINED_STEPS else LOW_NOISE


@dataclass(slots=True)
class Progress:
    """How far a clip is: `latents` (1, C, T, h, w) float32 as they are before step `index` of `schedule`.

    A step is taken whole or not at all, so that whoever catches an error (memory ran out, say) can hand the same
    progress to `denoise` again and go on at the step that failed.
    """

    latents: Tensor
    schedule: Schedule
    index: int = 0

    def step(self, velocity: Tensor) -> None:
        """To the next level by the network's `velocity` at this one."""
        solver = vars(self.schedule.solver)
        before = {name: list(value) if isinstance(value, list) else value for name, value in solver.items()}
        try:
            self.latents = self.schedule.step(self.index, velocity, self.latents)
        except BaseException:
            solver.update(before)
            raise
        self.index += 1


def denoise(
    progress: Progress,
    guidance: Guidance,
    load: Callable[[str], Any],
    hooks: Hooks,
    *,
    boundary: float | None = None,
    condition: Condition | None = None,
    preview: PreviewMap | None = None,
    smoothing: float = 0.0,
) -> Tensor:
    """Clean latents (1, C, T, h, w) float32 from where `progress` stands, which moves on with every step.

    `load` gives the network called "transformer" or "transformer_2"; each is asked for once, when its part begins.
    `condition` is what else the clip must keep to; None is nothing. `smoothing` takes jitter from motion (`quality`).
    Raises what `hooks.check` raises, and `ArtifexError` (code "numbers") when the network answers with no numbers.
    """
    kept: Condition = Free() if condition is None else condition
    schedule = progress.schedule
    total = len(schedule)
    steps = range(progress.index, total)
    for expert, part in groupby(steps, key=lambda index: expert_of(float(schedule.timesteps[index]), boundary)):
        hooks.check()
        with hooks.stage("load"):
            network = load(expert)
        with hooks.stage("denoise"):
            for index in part:
                hooks.check()
                velocity = _velocity(network, progress.latents, schedule.timesteps[index], guidance, expert, kept)
                _refuse_non_numbers(velocity, index, total)
                velocity = quality.smoothed(
                    velocity, progress.latents, float(schedule.sigmas[index]), smoothing, last=index == total - 1
                )
                if preview is not None:
                    clean = progress.latents - float(schedule.sigmas[index]) * velocity
                    hooks.preview(preview.picture(kept.imposed(clean)))
                progress.step(velocity)
                hooks.progress("denoise", index + 1, total)
        del network
    return kept.imposed(progress.latents)


def _velocity(
    network: Any, latents: Tensor, timestep: Tensor, guidance: Guidance, expert: str, condition: Condition
) -> Tensor:
    strength = guidance.strength_of(expert)
    when = condition.timesteps(timestep, latents, network.config.patch_size[1])
    seen = condition.seen(latents).to(network.dtype)
    with stepcache.context(network, "shown"):
        shown = _forward(network, seen, when, guidance.show, condition.arguments(True))
    if strength == 1.0:
        return shown
    if guidance.avoid is None:
        raise ValueError("guidance needs an embedding of what to avoid")
    with stepcache.context(network, "avoided"):
        avoided = _forward(network, seen, when, guidance.avoid, condition.arguments(False))
    return avoided + strength * (shown - avoided)


def _forward(network: Any, seen: Tensor, timestep: Tensor, words: Tensor, more: Mapping[str, Any]) -> Tensor:
    with torch.no_grad():
        answer: Tensor = network(
            hidden_states=seen,
            timestep=timestep,
            encoder_hidden_states=words.to(device=seen.device, dtype=seen.dtype),
            return_dict=False,
            **{name: _in_format(value, seen.dtype) for name, value in more.items()},
        )[0]
    return answer.to(torch.float32)


def _in_format(value: Any, dtype: DType) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_in_format(each, dtype) for each in value)
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.to(dtype)
    return value


def _refuse_non_numbers(velocity: Tensor, index: int, total: int) -> None:
    if not bool(torch.isfinite(velocity).all()):
        raise ArtifexError(
            f"denoise step {index + 1} of {total}",
            "the network answered with values that are no numbers",
            "the number format bfloat16; if it stays so, `artifexpro models verify`",
            code="numbers",
        )

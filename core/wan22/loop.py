"""The denoising loop: one for all models.

diffusers' pipelines decide on guidance once for both experts, which wastes or loses unconditional passes, and decode
what was cancelled. Here each step asks the expert of its noise level, guides by that expert's own figure, and can be
stopped before it begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22.catalogue import TRAINED_STEPS
from artifexpro.core.wan22.condition import FirstFrame
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.preview import PreviewMap
from artifexpro.core.wan22.schedule import Schedule

if TYPE_CHECKING:
    from torch import Tensor

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


def denoise(
    latents: Tensor,
    schedule: Schedule,
    guidance: Guidance,
    load: Callable[[str], Any],
    hooks: Hooks,
    *,
    boundary: float | None = None,
    first: FirstFrame | None = None,
    preview: PreviewMap | None = None,
) -> Tensor:
    """Clean latents (1, C, T, h, w) float32 from noise of that shape.

    `load` gives the network called "transformer" or "transformer_2"; each is asked for once, when its part begins.
    `first` is a picture the clip starts from (models trained with a timestep for each token).
    Raises what `hooks.check` raises, and `ArtifexError` (code "numbers") when the network answers with no numbers.
    """
    total = len(schedule)
    steps = range(total)
    for expert, part in groupby(steps, key=lambda index: expert_of(float(schedule.timesteps[index]), boundary)):
        hooks.check()
        with hooks.stage("load"):
            network = load(expert)
        with hooks.stage("denoise"):
            for index in part:
                hooks.check()
                velocity = _velocity(network, latents, schedule.timesteps[index], guidance, expert, first)
                _refuse_non_numbers(velocity, index, total)
                if preview is not None:
                    hooks.preview(preview.picture(_estimate(latents, velocity, schedule.sigmas[index], first)))
                latents = schedule.step(index, velocity, latents)
                hooks.progress("denoise", index + 1, total)
        del network
    return latents if first is None else first.imposed(latents)


def _velocity(
    network: Any, latents: Tensor, timestep: Tensor, guidance: Guidance, expert: str, first: FirstFrame | None
) -> Tensor:
    strength = guidance.strength_of(expert)
    if first is None:
        seen, when = latents, timestep.to(latents.device).expand(1)
    else:
        seen = first.imposed(latents)
        when = first.timesteps(timestep, latents, network.config.patch_size[1])
    seen = seen.to(network.dtype)
    shown = _forward(network, seen, when, guidance.show)
    if strength == 1.0:
        return shown
    if guidance.avoid is None:
        raise ValueError("guidance needs an embedding of what to avoid")
    avoided = _forward(network, seen, when, guidance.avoid)
    return avoided + strength * (shown - avoided)


def _forward(network: Any, latents: Tensor, timestep: Tensor, words: Tensor) -> Tensor:
    with torch.no_grad():
        answer: Tensor = network(
            hidden_states=latents,
            timestep=timestep,
            encoder_hidden_states=words.to(device=latents.device, dtype=latents.dtype),
            return_dict=False,
        )[0]
    return answer.to(torch.float32)


def _estimate(latents: Tensor, velocity: Tensor, sigma: Tensor, first: FirstFrame | None) -> Tensor:
    """The clean clip as the network sees it now: x - sigma * v."""
    clean = latents - float(sigma) * velocity
    return clean if first is None else first.imposed(clean)


def _refuse_non_numbers(velocity: Tensor, index: int, total: int) -> None:
    if not bool(torch.isfinite(velocity).all()):
        raise ArtifexError(
            f"denoise step {index + 1} of {total}",
            "the network answered with values that are no numbers",
            "the number format bfloat16; if it stays so, `artifexpro models verify`",
            code="numbers",
        )

"""What a clip of speech keeps to: the sound, the picture of who speaks, poses, and what came before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.condition import Free

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Spoken(Free):
    """`sound` (1, layers, width, 4 T) are features of the clip's frames, `reference` (1, C, 1, h, w) is the picture's
    latent, `pose` (1, C, T, h, w) are those of a pose video, `past` (1, C, P, h, w) those of what came before; None is
    a film's first clip. The unconditional pass hears nothing and is shown everything else.
    """

    sound: Tensor
    reference: Tensor
    pose: Tensor
    past: Tensor | None

    def arguments(self, shown: bool) -> Mapping[str, Any]:
        return {
            "audio": self.sound if shown else torch.zeros_like(self.sound),
            "reference_latents": self.reference,
            "pose_latents": self.pose,
            "past_latents": self.past,
        }

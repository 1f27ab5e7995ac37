"""What a clip must keep to besides its prompt: the denoising loop asks one object, whatever the task.

A task that brings a picture, a clip or a sound is one class here or beside its model; the loop knows none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from artifexpro.core.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class Condition(Protocol):
    """Asked at every step. Latents are (1, C, T, h, w), float32, on the transformer's device."""

    def seen(self, latents: Tensor) -> Tensor:
        """What the network reads in place of `latents`."""

    def timesteps(self, timestep: Tensor, latents: Tensor, patch: int) -> Tensor:
        """(1,), or (1, tokens) where parts of the clip are less noisy; `timestep` is a scalar on the processor."""

    def arguments(self, shown: bool) -> Mapping[str, Any]:
        """Further arguments of the network's forward; `shown` False asks for the unconditional pass's.

        The loop brings tensors of floating point, also in lists and tuples, to the network's number format.
        """

    def imposed(self, latents: Tensor) -> Tensor:
        """The clean clip: what was given put back, what only served as a reference left out."""


class Free:
    """Nothing but the prompt."""

    __slots__ = ()

    def seen(self, latents: Tensor) -> Tensor:
        return latents

    def timesteps(self, timestep: Tensor, latents: Tensor, patch: int) -> Tensor:
        return timestep.to(latents.device).expand(1)

    def arguments(self, shown: bool) -> Mapping[str, Any]:
        return {}

    def imposed(self, latents: Tensor) -> Tensor:
        return latents


@dataclass(frozen=True, slots=True)
class FirstFrame(Free):
    """The first picture of a TI2V clip: its latent takes the place of the first frame's, and counts as free of noise.

    `latent` is (1, C, 1, h, w), normalised.
    """

    latent: Tensor

    def seen(self, latents: Tensor) -> Tensor:
        return self.imposed(latents)

    def timesteps(self, timestep: Tensor, latents: Tensor, patch: int) -> Tensor:
        """(1, tokens): 0 where the picture is given, `timestep` elsewhere."""
        frames, rows, columns = latents.shape[2], latents.shape[3] // patch, latents.shape[4] // patch
        each = timestep.to(latents.device).expand(frames, rows * columns).clone()
        each[0] = 0
        return each.reshape(1, -1)

    def imposed(self, latents: Tensor) -> Tensor:
        """`latents` with the picture as their first frame."""
        return torch.cat([self.latent, latents[:, :, 1:]], dim=2)


@dataclass(frozen=True, slots=True)
class Keyframes(Free):
    """The pictures that a clip of I2V-A14B begins and ends with: the network reads them beside the noise.

    `given` is (1, 4 + C, T, h, w): for each latent frame, which of its four frames are given (1) or free (0), and the
    latents of a clip that has the pictures where they are given and grey elsewhere.
    """

    given: Tensor

    def seen(self, latents: Tensor) -> Tensor:
        return torch.cat([latents, self.given], dim=1)


@dataclass(frozen=True, slots=True)
class Masked(Free):
    """What a clip of VACE keeps and makes new: a branch of the network of its own reads it at every step.

    `control` is (1, 2 C + 64, R + T, h, w): latents of what stays, of what is to be replaced, and the mask, 8 x 8
    values for each latent. Its first `references` frames are reference pictures, and so are those of the latents.
    """

    control: Tensor
    references: int = 0

    def arguments(self, shown: bool) -> Mapping[str, Any]:
        return {"control_hidden_states": self.control}

    def imposed(self, latents: Tensor) -> Tensor:
        return latents[:, :, self.references :]

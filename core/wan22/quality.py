"""Care that costs time or freedom: passes averaged over shifted patches, noise shared in time, motion smoothed.

None of it is on by default, and none of it was part of the networks' training: strengths are shares from 0 (nothing)
to 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

SHIFTS = ((0, 0), (1, 1), (0, 1), (1, 0))
"""Where an ensemble's passes put the grid of 2 x 2 patches, in latents down and right."""
_CUTOFF = 0.25
"""Width of the low-pass in cycles a latent over the highest, 0.5: FreeInit's Gaussian filter with its d_s of 0.25."""
_SMOOTHED_BELOW = 0.5
"""Noise level from which on motion is smoothed: above it, the estimate's motion is not settled yet."""
_STIFFNESS = 0.25
"""Whittaker's lambda at smoothing 1. Swings from latent to latent are divided by 1 + 16 lambda."""


class Spun:
    """A network asked `passes` times, each with its patches elsewhere, and the answers averaged.

    Cycle spinning (Coifman and Donoho, Translation-Invariant De-Noising, 1995): a denoiser that works on a grid is
    averaged over shifts of the grid, and what the grid alone made cancels out. The row and column that come in from
    the other side have no part in the average. Everything else a network is asked for is the network's own.
    """

    def __init__(self, network: Any, passes: int) -> None:
        self.network = network
        self.shifts = SHIFTS[:passes]
        self._context: tuple[str, Mapping[str, Any]] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    @contextmanager
    def cache_context(self, name: str, **more: Any) -> Iterator[None]:
        """Each shift has a step cache of its own within `name`."""
        self._context = (name, more)
        try:
            yield
        finally:
            self._context = None

    def __call__(self, *, hidden_states: Tensor, **more: Any) -> tuple[Tensor]:
        """The averaged answer, (1, C, T, h, w), as the only element of a tuple."""
        size = hidden_states.shape[-2:]
        total: Any = 0.0
        weight: Any = 0.0
        for down, right in self.shifts:
            moved = {name: _moved(value, size, down, right) for name, value in more.items()}
            with self._own_context(down, right):
                answer = self.network(hidden_states=_moved(hidden_states, size, down, right), **moved)[0]
            share = answer.new_ones(size)
            share[:down] = 0
            share[:, :right] = 0
            total = total + torch.roll(answer * share, (-down, -right), (-2, -1))
            weight = weight + torch.roll(share, (-down, -right), (-2, -1))
        averaged: Tensor = total / weight
        return (averaged,)

    @contextmanager
    def _own_context(self, down: int, right: int) -> Iterator[None]:
        if self._context is None:
            yield
            return
        name, more = self._context
        with self.network.cache_context(f"{name} {down} {right}", **more):
            yield


def _moved(value: Any, size: tuple[int, ...], down: int, right: int) -> Any:
    """Tensors that are pictures of `size` move; what else the network is told stays."""
    is_picture = torch.is_tensor(value) and value.ndim == 5 and value.shape[-2:] == size
    return torch.roll(value, (down, right), (-2, -1)) if is_picture else value


def shared(noise: Tensor, consistency: float, seed: int) -> Tensor:
    """`noise` (1, C, T, h, w) whose low spatial frequencies are partly the same in all frames; variance 1 as before.

    Mixed noise (Ge et al., Preserve Your Own Correlation, arXiv 2305.10474): each frame is sqrt(c) of one noise for all
    and sqrt(1 - c) of its own; here c is `consistency` times a Gaussian low-pass over spatial frequencies (Wu et al.,
    FreeInit, arXiv 2312.07537), so that layout is shared and detail stays free.
    """
    if not consistency:
        return noise
    generator = torch.Generator("cpu").manual_seed(seed ^ 0x5EED)
    common = torch.randn(noise[:, :, :1].shape, generator=generator, dtype=torch.float32).to(noise.device)
    rows, columns = noise.shape[-2:]
    vertical = torch.fft.fftfreq(rows, device=noise.device).view(-1, 1) / 0.5
    horizontal = torch.fft.rfftfreq(columns, device=noise.device).view(1, -1) / 0.5
    share = consistency * torch.exp(-(vertical**2 + horizontal**2) / (2 * _CUTOFF**2))
    spectrum = (1 - share).sqrt() * torch.fft.rfft2(noise) + share.sqrt() * torch.fft.rfft2(common)
    mixed: Tensor = torch.fft.irfft2(spectrum, s=(rows, columns))
    return mixed


def smoothed(velocity: Tensor, latents: Tensor, sigma: float, smoothing: float, last: bool) -> Tensor:
    """`velocity` towards a clip whose motion jitters less, in the last step and those from noise level 0.5 down.

    The estimate x - sigma v is replaced by the z that minimises |z - estimate|^2 + lambda |second differences of z in
    time|^2 (Whittaker 1923; Eilers, A Perfect Smoother, 2003), lambda = smoothing / 4: even motion passes unchanged.
    """
    if not smoothing or not (last or sigma <= _SMOOTHED_BELOW):
        return velocity
    frames = latents.shape[2]
    smoother = _whittaker(frames, smoothing * _STIFFNESS).to(latents.device)
    estimate = latents - sigma * velocity
    calm = torch.einsum("st,bcthw->bcshw", smoother, estimate)
    return (latents - calm) / sigma


def _whittaker(frames: int, stiffness: float) -> Tensor:
    differences = torch.diff(torch.eye(frames, dtype=torch.float64), n=2, dim=0)
    system = torch.eye(frames, dtype=torch.float64) + stiffness * differences.T @ differences
    return torch.linalg.inv(system).to(torch.float32)

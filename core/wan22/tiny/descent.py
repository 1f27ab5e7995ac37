"""How weights go downhill: Muon for matrices and kernels, AdamW for all else.

Muon takes the nearest orthogonal matrix of the momentum as its step. A kernel is a matrix of one row an output channel.
Its steps are of AdamW's size, so that one rate serves both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.tiny.muon import Muon

if TYPE_CHECKING:
    from torch import Tensor

_LEAST = 8
"""Sides of a matrix that Muon is given."""
_DECAY = 0.01
_OTHERS = 0.2
"""AdamW's share of the rate."""


class Descent:
    """Steps of the weights of `modules` along their gradients. `rate` is Muon's highest, `compute` the number format
    ("float32" or "bfloat16") that its matrices are multiplied in."""

    def __init__(self, modules: Iterable[Any], rate: float, compute: str = "float32") -> None:
        self.weights: list[Tensor] = []
        self._kernels: list[tuple[Tensor, Tensor]] = []
        others = []
        for module in modules:
            words = {each.weight for each in module.modules() if isinstance(each, torch.nn.Embedding)}
            for weight in module.parameters():
                self.weights.append(weight)
                if weight not in words and _is_matrix(weight):
                    self._kernels.append((weight, torch.nn.Parameter(weight.detach().flatten(1))))
                else:
                    others.append(weight)
        matrices = [matrix for _, matrix in self._kernels]
        self._optimizers: dict[str, tuple[Any, float]] = {}
        if matrices:
            self._optimizers["muon"] = Muon(matrices, _DECAY, getattr(torch, compute)), rate
        if others:
            adamw = torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=_DECAY)
            self._optimizers["adamw"] = adamw, _OTHERS * rate

    def clear(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None

    def step(self, share: float) -> None:
        """One step at `share` (0..1) of the rate. Weights without a gradient stay."""
        for weight, matrix in self._kernels:
            matrix.grad = None if weight.grad is None else weight.grad.flatten(1)
        for optimizer, rate in self._optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate * share
            optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        return {name: optimizer.state_dict() for name, (optimizer, _) in self._optimizers.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, (optimizer, _) in self._optimizers.items():
            optimizer.load_state_dict(state[name])


def _is_matrix(weight: Tensor) -> bool:
    return weight.dim() >= 2 and min(weight.shape[0], weight[0].numel()) >= _LEAST

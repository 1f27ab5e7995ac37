"""Muon as `torch.optim.Muon` has it, for machines that do not multiply in bfloat16 too.

PyTorch's rounds every matrix to bfloat16 first, whatever the machine: a processor without such arithmetic takes 20 s a
step for the embedded model's matrices. Here matrices of one shape are multiplied together, in the format asked for.

Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/, with steps scaled to AdamW's size (Liu et al. 2025,
"Muon is Scalable for LLM Training").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

_MOMENTUM, _LEAST_NORM = 0.95, 1e-7
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5
"""Of Newton and Schulz, with the coefficients of Jordan et al."""


class Muon:
    """Steps of `matrices` (2-D) along their gradients. `param_groups` has the rate `lr`, as an optimizer of PyTorch."""

    def __init__(self, matrices: Iterable[Tensor], decay: float, dtype: Any) -> None:
        self.param_groups: list[dict[str, Any]] = [{"lr": 0.0}]
        self._matrices = list(matrices)
        self._decay, self._dtype = decay, dtype
        self._momenta = [torch.zeros_like(matrix) for matrix in self._matrices]

    def step(self) -> None:
        """One step. Matrices without a gradient stay."""
        rate = self.param_groups[0]["lr"]
        alike = defaultdict(list)
        for matrix, momentum in zip(self._matrices, self._momenta, strict=True):
            if matrix.grad is not None:
                momentum.lerp_(matrix.grad, 1 - _MOMENTUM)
                alike[matrix.shape].append((matrix, matrix.grad.lerp(momentum, _MOMENTUM)))
        with torch.no_grad():
            for shape, pairs in alike.items():
                ways = orthogonal(torch.stack([way for _, way in pairs]), self._dtype)
                for (matrix, _), way in zip(pairs, ways, strict=True):
                    matrix.mul_(1 - rate * self._decay)
                    matrix.sub_(way, alpha=0.2 * rate * max(shape) ** 0.5)

    def state_dict(self) -> dict[str, Any]:
        return {"momenta": self._momenta}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for momentum, kept in zip(self._momenta, state["momenta"], strict=True):
            momentum.copy_(kept)


def orthogonal(matrices: Tensor, dtype: Any) -> Tensor:
    """About the nearest orthogonal matrix of each of `matrices` (N, rows, columns), float32, reckoned in `dtype`."""
    tall = matrices.shape[1] > matrices.shape[2]
    found = (matrices.mT if tall else matrices).to(dtype)
    found = found / found.norm(dim=(1, 2), keepdim=True).clamp(min=_LEAST_NORM)
    first, second, third = _COEFFICIENTS
    for _ in range(_ROUNDS):
        square = found @ found.mT
        change = torch.baddbmm(square, square, square, beta=second, alpha=third)
        found = torch.baddbmm(found, change, found, beta=first)
    return (found.mT if tall else found).float()

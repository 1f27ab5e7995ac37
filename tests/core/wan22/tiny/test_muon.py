"""Muon in any number format takes the steps that PyTorch's takes, and can be stopped between two of them."""

from __future__ import annotations

import pytest
import torch

from artifexpro.core.wan22.tiny.muon import Muon, orthogonal

SHAPES = ((12, 40), (40, 12), (12, 40), (16, 16))
RATE, DECAY = 0.02, 0.01


def matrices() -> list[torch.nn.Parameter]:
    torch.manual_seed(3)
    return [torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES]


def gradients(step: int) -> list[torch.Tensor]:
    torch.manual_seed(step)
    return [torch.randn(shape) for shape in SHAPES]


def go(descent: Muon | torch.optim.Muon, weights: list[torch.nn.Parameter], steps: range) -> None:
    descent.param_groups[0]["lr"] = RATE
    for step in steps:
        for weight, gradient in zip(weights, gradients(step), strict=True):
            weight.grad = gradient
        descent.step()


@pytest.mark.parametrize(("dtype", "apart"), [(torch.bfloat16, 2e-2), (torch.float32, 1e-1)])
def test_its_steps_are_those_of_pytorch(dtype: torch.dtype, apart: float) -> None:
    ours, theirs = matrices(), matrices()
    go(Muon(ours, DECAY, dtype), ours, range(4))
    go(torch.optim.Muon(theirs, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"), theirs, range(4))
    for one, other, begun in zip(ours, theirs, matrices(), strict=True):
        assert float((one - begun).detach().norm()) > 0.05
        assert float((one - other).detach().norm() / (other - begun).detach().norm()) < apart


def test_matrices_come_out_about_orthogonal() -> None:
    torch.manual_seed(0)
    found = orthogonal(torch.randn(3, 20, 50), torch.float32)
    values = torch.linalg.svdvals(found)
    assert 0.6 < float(values.min()) < float(values.max()) < 1.3


def test_a_matrix_without_a_gradient_stays() -> None:
    weights = matrices()
    descent = Muon(weights, DECAY, torch.float32)
    descent.param_groups[0]["lr"] = RATE
    weights[0].grad = gradients(0)[0]
    descent.step()
    moved = [not torch.equal(weight, begun) for weight, begun in zip(weights, matrices(), strict=True)]
    assert moved == [True, False, False, False]


def test_what_it_remembers_is_kept_and_taken_up() -> None:
    through, weights = matrices(), matrices()
    go(Muon(through, DECAY, torch.float32), through, range(4))
    first = Muon(weights, DECAY, torch.float32)
    go(first, weights, range(2))
    second = Muon(weights, DECAY, torch.float32)
    second.load_state_dict(first.state_dict())
    go(second, weights, range(2, 4))
    assert all(torch.equal(one, other) for one, other in zip(through, weights, strict=True))

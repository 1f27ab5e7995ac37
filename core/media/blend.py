"""Laying one premultiplied picture over another.

Formulas: T. Porter, T. Duff, "Compositing Digital Images", SIGGRAPH 1984, and W3C "Compositing and Blending Level 1",
section 10, in their premultiplied form. Colour is scene-linear and has no ceiling; coverage stays in 0..1. In all of
them `a` is the foreground and `b` the background, tensors of equal shape (1, 4, H, W); results are new tensors, or an
input as it is.
"""

from __future__ import annotations

from artifexpro.core.lazy import torch
from artifexpro.core.media.channels import coverage
from artifexpro.core.media.pixels import is_opaque


def over(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Porter-Duff over: a + b (1 - alpha of a), which is `a` itself where that is opaque."""
    if is_opaque(a):
        return a
    return torch.addcmul(b, b, coverage(a).to(b.dtype), value=-1).add_(a)


def add(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Porter-Duff plus: a + b; coverage at most 1."""
    out = a + b
    out[:, 3].clamp_(max=1)
    return out


def screen(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """W3C screen: a + b - a b, coverage alike. Where a colour lies above 1 the formula would darken, so the larger of
    the two is taken there, which meets the formula at 1."""
    out = torch.addcmul(a + b, a, b, value=-1)
    return torch.where((a > 1) | (b > 1), torch.maximum(a, b), out)


def multiply(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """W3C multiply: a b + a (1 - alpha of b) + b (1 - alpha of a); coverage a + b - a b."""
    return a * b + a * (1 - coverage(b)).to(a.dtype) + b * (1 - coverage(a)).to(b.dtype)


MODES = {"over": over, "add": add, "screen": screen, "multiply": multiply}

"""Which number format a machine's passes are fastest in."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from artifexpro.core.lazy import torch

_ROWS, _WIDTH, _TRIES = 1536, 512, 7
"""Of the products that are timed."""
_WORTH = 1.2
"""Times as fast that bfloat16 must multiply: what is not a product is slower in it."""


def fastest(device: str) -> str:
    """The number format whose passes are fastest: bfloat16 on cards, and on processors that multiply in it and are
    seen to be faster for it. Not all are: some take as long as for float32."""
    if device == "cuda":
        return "bfloat16"
    known = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if known and _seconds(torch.float32) > _WORTH * _seconds(torch.bfloat16) else "float32"


def _seconds(dtype: Any) -> float:
    """Of one product, the median of a few."""
    rows, square = torch.ones(_ROWS, _WIDTH, dtype=dtype), torch.ones(_WIDTH, _WIDTH, dtype=dtype)
    taken = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        rows @ square
        taken.append(time.perf_counter() - began)
    return median(taken)

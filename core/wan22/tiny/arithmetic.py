"""Which number format a machine's passes are fastest in."""

from __future__ import annotations

from artifexpro.core.lazy import torch


def fastest(device: str) -> str:
    """The number format whose passes are fastest: bfloat16 on cards and on processors that multiply in it."""
    if device == "cuda":
        return "bfloat16"
    known = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if known else "float32"

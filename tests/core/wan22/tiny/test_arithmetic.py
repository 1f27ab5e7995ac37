"""The number format of a training is the one that the machine is fastest in."""

from __future__ import annotations

import pytest
import torch

from artifexpro.core.wan22.tiny import arithmetic


@pytest.mark.parametrize(
    ("known", "times", "taken"),
    [(True, 2.0, "bfloat16"), (True, 1.0, "float32"), (True, 0.5, "float32"), (False, 2.0, "float32")],
)
def test_bfloat16_is_taken_where_the_processor_has_it_and_is_faster_for_it(
    monkeypatch: pytest.MonkeyPatch, known: bool, times: float, taken: str
) -> None:
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: known)
    monkeypatch.setattr(arithmetic, "_seconds", lambda dtype: times if dtype == torch.float32 else 1.0)
    assert arithmetic.fastest("cpu") == taken
    assert arithmetic.fastest("cuda") == "bfloat16"


def test_products_are_really_timed() -> None:
    assert arithmetic._seconds(torch.float32) > 0

"""The step cache leaves out blocks, more of them at a higher threshold, and never mixes what is guided apart."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import WanTransformer3DModel, WanVACETransformer3DModel

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, stepcache
from artifexpro.core.wan22.generate import prepare
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.request import resolve

STEPS = {"steps": 8, "frames": 1, "guidance": (2.0, 2.0)}
WHOLE = 8 * 2 * 2
"""Block forwards of 8 guided steps through 2 blocks."""


def test_blocks_are_left_out_and_the_clip_is_nearly_the_same(make: Any, plain: Any, blocks: Counter[str]) -> None:
    cached = make(Levers(cache=0.3), **STEPS)
    assert WHOLE / 2 < blocks["block"] < WHOLE - 4
    assert 0 < float((cached - plain(**STEPS)).abs().max()) < 0.08


def test_a_higher_threshold_leaves_out_more(make: Any, blocks: Counter[str]) -> None:
    counts = []
    for threshold in (1e-6, 0.1, 0.9):
        blocks.clear()
        make(Levers(cache=threshold), **STEPS)
        counts.append(blocks["block"])
    assert counts[0] == WHOLE
    assert counts[0] > counts[1] > counts[2] >= WHOLE / 2


def test_a_threshold_that_nothing_stays_under_changes_nothing(make: Any, plain: Any) -> None:
    assert torch.equal(make(Levers(cache=1e-6), **STEPS), plain(**STEPS))


def test_each_pass_and_each_expert_has_a_state_of_its_own() -> None:
    """The same input twice in one pass is answered from the cache; in another pass it is not."""
    networks = [tiny() for _ in range(2)]
    asked = Counter[int]()
    for index, network in enumerate(networks):
        stepcache.enable(network, 0.5)
        network.blocks[1].attn1.register_forward_hook(lambda *_, index=index: asked.update([index]))
    arguments = {
        "hidden_states": torch.randn(1, 4, 1, 4, 4),
        "timestep": torch.tensor([500.0]),
        "encoder_hidden_states": torch.randn(1, 512, 8),
    }
    for network, name in ((0, "shown"), (0, "shown"), (0, "avoided"), (1, "shown"), (0, "shown")):
        with torch.no_grad(), stepcache.context(networks[network], name):
            networks[network](**arguments)
    assert asked == {0: 2, 1: 1}


def tiny(layers: int = 2, kind: Any = WanTransformer3DModel, **more: Any) -> Any:
    return kind(
        num_layers=layers,
        num_attention_heads=2,
        attention_head_dim=12,
        ffn_dim=16,
        in_channels=4,
        out_channels=4,
        text_dim=8,
        freq_dim=16,
        **more,
    ).eval()


def test_a_cache_that_could_leave_out_nothing_is_refused(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArtifexError, match="no blocks that could be left out"):
        stepcache.enable(tiny(layers=1), 0.1)
    with pytest.raises(ArtifexError, match="none that could be left out"):
        make(Levers(cache=0.1), steps=4)
    monkeypatch.setattr(WanTransformer3DModel, "enable_cache", lambda *_: None)
    with pytest.raises(ArtifexError, match="hooks none"):
        stepcache.enable(tiny(), 0.1)


def test_vace_is_refused_before_the_long_work(random_models: Path) -> None:
    spec = resolve(prompt="x", model="smoke-vace", width=64, height=64, frames=5, steps=8, levers=Levers(cache=0.1))
    with pytest.raises(ArtifexError, match="WanVACETransformer3DModel adds"):
        prepare(spec, catalogue.model("smoke-vace"), random_models, "cpu")


def test_a_network_that_adds_between_its_blocks_is_refused() -> None:
    """diffusers would add VACE's hints again on top of a cached residual that contains them."""
    with pytest.raises(ArtifexError, match="would add that twice"):
        stepcache.enable(tiny(kind=WanVACETransformer3DModel, vace_layers=[0], vace_in_channels=4), 0.1)


def test_a_network_without_a_cache_needs_no_context() -> None:
    with stepcache.context(SimpleNamespace(), "shown") as nothing:
        assert nothing is None

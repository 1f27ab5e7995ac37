"""The transformer's first blocks can tell from noise where in a clip each token is."""

from __future__ import annotations

import pytest
import torch

from artifexpro.core.wan22.tiny import denoising, model, placing
from artifexpro.core.wan22.tiny import train as training
from artifexpro.core.wan22.tiny.course import chance
from artifexpro.core.wan22.tiny.descent import Descent

SHAPE = (1, model.CHANNELS, 3, 4, 6)


def test_distances_are_those_to_each_rim() -> None:
    found = placing.distances(3, 2, 20)
    assert found.shape == (3 * 2 * 20, 6)
    assert found[0].tolist() == [0, 2, 0, 1, 0, placing.FARTHEST]
    assert found[-1].tolist() == [2, 0, 1, 0, placing.FARTHEST, 0]
    assert found[20 + 3].tolist() == [0, 2, 1, 0, 3, placing.FARTHEST]


def test_heads_begin_by_looking_beside_themselves() -> None:
    torch.manual_seed(0)
    network = model.transformer()
    attention = network.blocks[1].attn1
    turns = network.rope(torch.zeros(1, model.CHANNELS, 5, 6, 8))
    tokens = torch.randn(32, 60, 256)
    query, key = (
        turned(norm(part(tokens)).unflatten(2, (8, -1)), *turns)
        for norm, part in ((attention.norm_q, attention.to_q), (attention.norm_k, attention.to_k))
    )
    looks = torch.einsum("bqhd,bkhd->bhqk", query, key).div(32**0.5).softmax(-1).mean(0)
    middle = (2 * 3 + 1) * 4 + 1
    for head, (frames, rows, columns) in enumerate(
        ((-1, 0, 0), (0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (1, 0, 0))
    ):
        there = middle + (frames * 3 + rows) * 4 + columns
        assert int(looks[head, middle].argmax()) == there


def turned(states: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> torch.Tensor:
    """`states` (N, tokens, heads, D) turned as the network turns them."""
    one, other = states.unflatten(-1, (-1, 2)).unbind(-1)
    cosine, sine = cosines[..., 0::2], sines[..., 1::2]
    return torch.stack([one * cosine - other * sine, one * sine + other * cosine], dim=-1).flatten(-2)


def test_its_lessons_leave_the_later_blocks_alone_and_the_network_whole() -> None:
    torch.manual_seed(0)
    network = model.transformer()
    denoising.shorten(network, True)
    placing.loss(network, placing.heads(network), SHAPE, chance(0, "places", 0), 2).backward()
    assert len(network.blocks) == 6
    taught = [block.attn1.to_q.weight.grad is not None for block in network.blocks]
    assert taught == [True] * placing.BLOCKS + [False] * (6 - placing.BLOCKS)


@pytest.mark.nightly
def test_where_a_token_is_is_learned_in_minutes() -> None:
    torch.manual_seed(0)
    network = model.transformer()
    denoising.shorten(network, True)
    asked = placing.heads(network)
    descent = Descent([network, asked], training.RATE["places"])
    losses = []
    for step in range(250):
        loss = placing.loss(network, asked, (1, model.CHANNELS, 5, 6, 8), chance(0, "places", step), 32)
        descent.clear()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(descent.weights, 1.0)
        descent.step(1 - step / 250)
        losses.append(float(loss.detach()))
    assert sum(losses[-10:]) < 0.1 * sum(losses[:10])

"""Half through the transformer each token of noise knows what the caption says of the thing on its side."""

from __future__ import annotations

from random import Random

import pytest
import torch

from artifexpro.core.wan22.tiny import captions, denoising, heeding, model, placing, reading, scenes
from artifexpro.core.wan22.tiny import train as training
from artifexpro.core.wan22.tiny.course import chance
from artifexpro.core.wan22.tiny.descent import Descent
from artifexpro.core.wan22.tiny.scenes import Scene, Thing

RED = Thing("red", "circle", "left", "small", "slowly")
BLUE = Thing("blue", "star", "still", "large", "")
SHAPE = (1, model.CHANNELS, 3, 4, 8)


def test_tokens_are_asked_about_the_thing_of_their_half() -> None:
    red, blue = reading.of_thing(RED), reading.of_thing(BLUE)
    assert heeding.answers(Scene("grey", (RED, BLUE)), 4) == [red, red, blue, blue]
    assert heeding.answers(Scene("grey", (BLUE,)), 3) == [blue] * 3
    assert all(
        answer < choices for thing in (red, blue) for answer, choices in zip(thing, heeding.CHOICES, strict=True)
    )


def test_its_lessons_teach_the_first_blocks_alone() -> None:
    torch.manual_seed(0)
    network, encoder = model.transformer(), model.text_encoder().requires_grad_(False)
    denoising.shorten(network, True)
    heads = heeding.Heads(heeding.heads(network), placing.heads(network))
    tokenizer = model.tokenizer(training._captions(0)[:500])
    heeding.loss(network, encoder, heads, tokenizer, SHAPE, chance(0, "heeds", 0), 2).backward()
    assert len(network.blocks) == 6
    taught = [block.attn2.to_k.weight.grad is not None for block in network.blocks]
    assert taught == [True] * heeding.BLOCKS + [False] * (6 - heeding.BLOCKS)
    assert all(float(part[1].weight.grad.abs().sum()) > 0 for part in (heads.asked, heads.placed))


@pytest.mark.nightly
def test_whose_motion_is_whose_is_learned_in_minutes() -> None:
    torch.manual_seed(0)
    network, encoder, tokenizer = model.transformer(), model.text_encoder(), model.tokenizer(training._captions(0))
    denoising.shorten(network, True)
    heads = heeding.Heads(heeding.heads(network), placing.heads(network))
    asked = reading.heads(encoder)
    lessons = (
        (800, Descent([encoder, asked], 3e-3), lambda *given: reading.loss(encoder, asked, tokenizer, *given)),
        (
            400,
            Descent([network, heads.asked, heads.placed], 3e-3),
            lambda *given: heeding.loss(network, encoder, heads, tokenizer, SHAPE, *given),
        ),
    )
    for steps, descent, lesson in lessons:
        for step in range(steps):
            loss = lesson(chance(0, "heeds", step), 24)
            descent.clear()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(descent.weights, 1.0)
            descent.step(min(1, (step + 1) / 20) * (1 - step / steps))
    drawn = Random(7)
    shown = [scenes.scene(drawn, held_out=True, things=2, camera=False) for _ in range(40)]
    with torch.no_grad(), placing.after(network, heeding.BLOCKS) as states:
        words = denoising.states([captions.plain(scene) for scene in shown], tokenizer, encoder)
        network(torch.randn(40, *SHAPE[1:]), torch.full((40,), 900.0), words, return_dict=False)
        found = heads.asked(states[0]).split(heeding.CHOICES, dim=-1)
    columns = SHAPE[4] // 2
    wanted = torch.tensor([heeding.answers(scene, columns) for scene in shown])
    wanted = wanted[:, None].expand(-1, SHAPE[2] * SHAPE[3] // 2, -1, -1).flatten(1, 2)
    motion = [*reading.OF_THINGS].index("motion")
    assert float((found[motion].argmax(-1) == wanted[..., motion]).float().mean()) > 0.8

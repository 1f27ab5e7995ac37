"""The text encoder learns from captions alone what they say of which thing."""

from __future__ import annotations

from random import Random

import pytest
import torch

from artifexpro.core.wan22.tiny import captions, denoising, model, reading, scenes
from artifexpro.core.wan22.tiny import train as training
from artifexpro.core.wan22.tiny.course import chance
from artifexpro.core.wan22.tiny.descent import Descent
from artifexpro.core.wan22.tiny.scenes import Scene, Thing

RED = Thing("red", "circle", "left", "small", "slowly")
BLUE = Thing("blue", "star", "still", "large", "")


def test_each_question_has_one_answer_and_none_where_there_is_no_second_thing() -> None:
    one, two = ([*reading.answers(Scene("grey", things))] for things in ((RED,), (RED, BLUE)))
    assert len(one) == len(two) == len(reading.CHOICES)
    assert (one[2], two[2]) == (0, 1)
    assert one[3:8] == two[3:8]
    assert set(one[8:]) == {-100}
    assert all(0 <= answer < choices for answer, choices in zip(two, reading.CHOICES, strict=True))


def test_two_heads_look_one_way_each() -> None:
    torch.manual_seed(0)
    attention = model.text_encoder().encoder.block[0].layer[0].SelfAttention
    bias = attention.compute_bias(9, 9)[0]
    back, ahead, near = bias[0], bias[1], bias[2]
    assert bool((back.tril() > back.triu(1).min() + 3).tril().sum() == 45)
    assert float(ahead.triu(1).sum()) > float(ahead.tril(-1).sum()) + 36 * 3
    assert float(near[4, 4]) > float(near[4, 5]) > float(near[4, 8])


def right(held_out: bool, encoder: torch.nn.Module, asked: torch.nn.Module, tokenizer: object) -> list[float]:
    """The share of pieces of captions with the right answer, of each question about two things."""
    drawn = Random(5)
    shown = [scenes.scene(drawn, held_out=held_out, things=2) for _ in range(60)]
    with torch.no_grad():
        words, said = denoising.read([captions.plain(scene) for scene in shown], tokenizer, encoder)
        found = asked(words).split(reading.CHOICES, dim=-1)
    wanted = torch.tensor([[*reading.answers(scene)] for scene in shown])
    return [
        float((each.argmax(-1) == wanted[:, number, None])[said].float().mean()) for number, each in enumerate(found)
    ]


@pytest.mark.nightly
def test_which_of_two_things_is_which_is_learned_in_a_minute() -> None:
    torch.manual_seed(0)
    encoder, tokenizer = model.text_encoder(), model.tokenizer(training._captions(0))
    asked = reading.heads(encoder)
    descent = Descent([encoder, asked], training.RATE["words"])
    for step in range(600):
        loss = reading.loss(encoder, asked, tokenizer, chance(0, "words", step), 48)
        descent.clear()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(descent.weights, 1.0)
        descent.step(min((step + 1) / 30, 1 - step / 600))
    assert min(right(True, encoder, asked, tokenizer)) > 0.9

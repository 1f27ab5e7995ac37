"""The text encoder's own lessons, before any clip: which scene a caption tells of.

A text encoder of a real Wan has read a library before its transformer sees a clip; ours reads captions. Every piece of
a caption is asked for everything the whole caption says, so that wherever the transformer looks, all of it is there.
After these lessons it learns no more, as a real Wan's: what clips would teach it about colours costs it what it knows
of whose motion is whose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.tiny import captions, denoising, scenes
from artifexpro.core.wan22.tiny.scenes import Scene, Thing

if TYPE_CHECKING:
    from torch import Tensor

OF_THINGS: dict[str, Sequence[str]] = {
    "colour": (*scenes.COLOURS,),
    "shape": scenes.SHAPES,
    "motion": scenes.MOTIONS,
    "size": scenes.SIZES,
    "speed": ("", *scenes.SPEEDS),
}
"""What is asked about each thing, and the answers there are."""
_MOST = 2
"""Things of a scene."""
_NOT_ASKED = -100
"""What cross entropy leaves out."""
CHOICES = (
    len(scenes.BACKGROUNDS),
    len(scenes.CAMERAS),
    _MOST,
    *(len(options) for _ in range(_MOST) for options in OF_THINGS.values()),
)
"""How many answers each question has."""


def heads(encoder: Any) -> Any:
    """What answers all questions at once from the states of `encoder`; of no use after its lessons."""
    return torch.nn.Linear(encoder.config.d_model, sum(CHOICES))


def of_thing(thing: Thing) -> list[int]:
    """The right answer to each question about `thing`."""
    return [options.index(getattr(thing, name)) for name, options in OF_THINGS.items()]


def answers(scene: Scene) -> Iterator[int]:
    """The right answer to each question, `_NOT_ASKED` about a second thing where there is none."""
    yield (*scenes.BACKGROUNDS,).index(scene.background)
    yield scenes.CAMERAS.index(scene.camera)
    yield len(scene.things) - 1
    for thing in scene.things:
        yield from of_thing(thing)
    yield from [_NOT_ASKED] * len(OF_THINGS) * (_MOST - len(scene.things))


def loss(encoder: Any, asked: Any, tokenizer: Any, chance: Any, batch: int) -> Tensor:
    """The loss of one step on captions of `batch` scenes: cross entropy, the mean of all questions."""
    drawn = Random(int(torch.randint(2**62, (), generator=chance)))
    shown = [scenes.scene(drawn) for _ in range(batch)]
    words, said = denoising.read([captions.caption(scene, drawn) for scene in shown], tokenizer, encoder)
    right = torch.tensor([[*answers(scene)] for scene in shown], device=words.device)
    found = asked(words).float().split(CHOICES, dim=-1)
    pieces = said.shape[1]
    losses = [
        torch.nn.functional.cross_entropy(
            of_one.flatten(0, 1),
            right[:, question, None].expand(-1, pieces).masked_fill(~said, _NOT_ASKED).flatten(),
            ignore_index=_NOT_ASKED,
        )
        for question, of_one in enumerate(found)
    ]
    return torch.stack(losses).mean()

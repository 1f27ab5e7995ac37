"""A film against the reference's own loop, and what holds for any film."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from artifexpro.core.wan22.catalogue import Speech
from artifexpro.core.wan22.footage import Footage
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.loop import Guidance
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.s2v.clips import Film, Given
from artifexpro.core.wan22.s2v.model import WanS2VTransformer3DModel

CLOSE = 1e-5


@pytest.fixture(scope="module")
def vae(recipe: ModuleType) -> Any:
    return recipe.tiny_vae()


@pytest.fixture(scope="module")
def filming(recipe: ModuleType, network: Any) -> Any:
    """The tiny network for films that go on from as few frames as the reference's."""
    model: Any = WanS2VTransformer3DModel(**{**network.config, "past_frames": recipe.FILM["past"]})
    model.load_state_dict(network.state_dict())
    return model.eval()


class Workshop:
    """Both networks at hand, and memory without end."""

    device = torch.device("cpu")

    def __init__(self, vae: Any, network: Any) -> None:
        self._vae, self._network = vae, network

    def vae(self) -> Any:
        return self._vae

    def network(self, name: str) -> Any:
        return self._network

    def levers(self) -> Levers:
        return Levers()

    def go(self, stage: str, work: Any) -> Any:
        return work()

    def step_down(self, stage: str, why: str) -> None:
        raise AssertionError(why)


def reference_film(recipe: ModuleType, from_picture: bool, posed: bool) -> tuple[ClipSpec, Speech, Given]:
    """What the reference's film was made from. Its sound is not moved, so the lead of a first clip is no part of it."""
    size, given = recipe.FILM, recipe.film_inputs()
    frames = size["frames"] * size["clips"] - (0 if from_picture else 3)
    spec = ClipSpec(
        task="s2v",
        model="s2v-14B",
        prompt="show",
        negative_prompt="avoid",
        preset="Draft",
        width=size["side"],
        height=size["side"],
        frames=frames,
        steps=size["steps"],
        guidance=(size["guidance"], size["guidance"]),
        shift=size["shift"],
        seed=size["seed"],
        dtype="float32",
        scheduler="unipc",
        from_picture=from_picture,
    )
    poses = Footage.of(given["poses"]) if posed else None
    guidance = Guidance(given["show"], given["avoid"], spec.guidance)
    picture = given["picture"].permute(2, 0, 1).unsqueeze(0)
    speech = Speech(clip_frames=size["frames"], past_frames=size["past"])
    return spec, speech, Given(guidance, given["audio"], picture, poses, "reference")


@pytest.mark.parametrize("which", range(3))
def test_two_clips_are_those_of_the_reference(
    which: int,
    recipe: ModuleType,
    reference: dict[str, torch.Tensor],
    filming: Any,
    vae: Any,
    tmp_path: Path,
) -> None:
    name, from_picture, posed = recipe.FILMS[which]
    spec, speech, given = reference_film(recipe, from_picture, posed)
    film = Film(spec, speech, given, Workshop(vae, filming), Silent(), tmp_path)
    made = list(film.frames())
    assert [index for index, _ in made] == list(range(spec.frames))
    pictures = torch.stack([picture for _, picture in made])
    expected = reference[name]
    difference = float((pictures[:, ::4, ::4] - expected).abs().max())
    print("DIFF", difference)
    assert difference < CLOSE
    assert float(((expected > 0) & (expected < 1)).float().mean()) > 0.8

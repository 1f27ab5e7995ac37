"""Every task with every lever: the same clip where a lever only moves weights or shares work, nearly the same where it
rounds or leaves out, another one where it adds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.footage import Footage
from artifexpro.core.wan22.generate import generate
from artifexpro.core.wan22.given import NOTHING, Given
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import Levers, Lora
from artifexpro.core.wan22.request import resolve

SIDE, LENGTH = 80, 5
PICTURE = torch.rand(SIDE, SIDE, 3, generator=torch.Generator().manual_seed(1))
CLIP = Footage.of(torch.rand(LENGTH, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(2)))
MASK = Footage.of((torch.arange(SIDE) < SIDE // 2).float().expand(1, SIDE, SIDE).unsqueeze(-1))
TASKS: dict[str, tuple[str, str, Given]] = {
    "words": ("smoke-moe", "t2v", NOTHING),
    "words, one network": ("smoke", "t2v", NOTHING),
    "words and a picture": ("smoke", "ti2v", Given(image=PICTURE)),
    "first picture": ("smoke-i2v", "i2v", Given(image=PICTURE)),
    "first and last picture": ("smoke-i2v", "i2v", Given(image=PICTURE, last_image=PICTURE.flip(0))),
    "restyled": ("smoke-moe", "style", Given(video=CLIP)),
    "restyled, one network": ("smoke", "style", Given(video=CLIP)),
    "edited": ("smoke-vace", "edit", Given(video=CLIP, mask=MASK)),
}
"""Model, task and what is given; films have their own tests (`test_films`)."""
SAME = {"offload model": Levers(offload="model"), "offload block": Levers(offload="block")}
NEAR = {"int8": (Levers(quantise="int8"), 0.1), "fp8": (Levers(quantise="fp8"), 0.3)}
every_task = pytest.mark.parametrize("name", TASKS)


@pytest.fixture(scope="module")
def clip_of(random_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., torch.Tensor]:
    """Frames of a task's clip; the plain one is made once."""
    plain: dict[tuple[str, int], torch.Tensor] = {}

    def clip(name: str, levers: Levers = Levers(), steps: int = 2) -> torch.Tensor:  # noqa: B008
        if levers == Levers() and (name, steps) in plain:
            return plain[name, steps]
        model, task, given = TASKS[name]
        spec = resolve(
            prompt="a red kite",
            model=model,
            task=task,
            width=SIDE if model != "smoke" else 96,
            height=SIDE if model != "smoke" else 96,
            frames=LENGTH,
            steps=steps,
            shift=5.0,
            levers=levers,
        )
        folder = tmp_path_factory.mktemp("clip")
        made = generate(spec, random_models, Silent(), folder=folder, material=given, device="cpu")
        frames = torch.stack([frame for _, frame in made])
        if levers == Levers():
            plain[name, steps] = frames
        return frames

    return clip


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max())


@every_task
@pytest.mark.parametrize("lever", SAME)
def test_what_only_moves_weights_changes_nothing(name: str, lever: str, clip_of: Any) -> None:
    assert apart(clip_of(name, SAME[lever]), clip_of(name)) <= 1e-5


@every_task
@pytest.mark.parametrize("lever", NEAR)
def test_eight_bits_change_little_and_something(name: str, lever: str, clip_of: Any) -> None:
    levers, bound = NEAR[lever]
    assert 0 < apart(clip_of(name, levers), clip_of(name)) <= bound


@every_task
def test_a_step_cache_changes_little_or_is_refused(name: str, clip_of: Any) -> None:
    if TASKS[name][1] == "edit":
        with pytest.raises(ArtifexError, match="cache"):
            clip_of(name, Levers(cache=0.9), steps=8)
        return
    assert apart(clip_of(name, Levers(cache=0.9), steps=8), clip_of(name, steps=8)) <= 0.3


@every_task
def test_a_lora_makes_another_clip(name: str, clip_of: Any, write_lora: Any) -> None:
    assert apart(clip_of(name, Levers(loras=(Lora(write_lora("diffusers")),))), clip_of(name)) > 0


@every_task
def test_tiles_stay_near_the_whole(name: str, clip_of: Any) -> None:
    if TASKS[name][0] == "smoke":
        with pytest.raises(ArtifexError, match="tile"):
            clip_of(name, Levers(tile=128))
        return
    tiled, whole = clip_of(name, Levers(tile=64)), clip_of(name)
    assert 0 < float((tiled - whole).abs().mean()) <= 0.25 * float(whole.std())


@pytest.mark.nightly
@pytest.mark.parametrize("name", [name for name in TASKS if name not in ("words", "words, one network")])
def test_two_processes_make_the_clip_of_one_or_are_refused(name: str, clip_of: Any) -> None:
    if TASKS[name][1] == "edit":
        with pytest.raises(ArtifexError, match="share each step"):
            clip_of(name, Levers(parallel=2))
        return
    assert apart(clip_of(name, Levers(parallel=2)), clip_of(name)) <= 1e-5


@pytest.mark.nightly
@every_task
def test_compiled_blocks_make_the_same_clip(name: str, clip_of: Any) -> None:
    torch._dynamo.reset()
    assert apart(clip_of(name, Levers(compile=True)), clip_of(name)) <= 1e-4

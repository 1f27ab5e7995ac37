"""What is handed in: refused before any work where the task cannot use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.catalogue import CATALOGUE, TASKS
from artifexpro.core.wan22.footage import Footage
from artifexpro.core.wan22.given import NEEDS, TAKES, WORDS, Given, check
from artifexpro.core.wan22.request import ClipSpec

PICTURE = torch.rand(64, 64, 3)
CLIP = Footage.of(torch.rand(9, 64, 64, 3))
MASK = Footage.of(torch.ones(9, 64, 64, 1))
SOUND = torch.sin(torch.arange(16_000) / 20) * 0.5
MODELS = {
    "t2v": "smoke",
    "ti2v": "smoke",
    "style": "smoke",
    "i2v": "smoke-i2v",
    "edit": "smoke-vace",
    "s2v": "smoke-s2v",
}
WHOLE: dict[str, dict[str, Any]] = {
    "t2v": {},
    "ti2v": {"image": PICTURE},
    "i2v": {"image": PICTURE, "last_image": PICTURE},
    "style": {"video": CLIP},
    "edit": {"video": CLIP, "mask": MASK, "references": (PICTURE,)},
    "s2v": {"image": PICTURE, "sound": SOUND, "poses": CLIP},
}
EVERYTHING = {name: given for whole in WHOLE.values() for name, given in whole.items()}


def test_every_task_of_a_usable_model_says_what_it_takes() -> None:
    able = {task for spec in CATALOGUE.values() if spec.later is None for task in spec.tasks}
    assert able <= set(TAKES) <= set(TASKS)
    assert set(NEEDS) <= set(TAKES)
    assert {name for names in TAKES.values() for name in names} == set(WORDS) == set(Given(**EVERYTHING).names())


@pytest.mark.parametrize("task", MODELS)
def test_what_a_task_takes_is_taken(task: str, small: Callable[..., ClipSpec]) -> None:
    check(small(task=task, model=MODELS[task]), Given(**WHOLE[task]))


@pytest.mark.parametrize("task", MODELS)
@pytest.mark.parametrize("name", EVERYTHING)
def test_what_a_task_does_not_take_is_refused(task: str, name: str, small: Callable[..., ClipSpec]) -> None:
    if name in TAKES[task]:
        return
    with pytest.raises(ArtifexError, match=f"this task has no {WORDS[name]}") as refused:
        check(small(task=task, model=MODELS[task]), Given(**{**WHOLE[task], name: EVERYTHING[name]}))
    assert refused.value.code == "image"


@pytest.mark.parametrize(("task", "name"), [(task, name) for task, names in NEEDS.items() for name in names])
def test_what_a_task_cannot_do_without_is_asked_for(task: str, name: str, small: Callable[..., ClipSpec]) -> None:
    with pytest.raises(ArtifexError, match=f"there is no {WORDS[name]}"):
        check(small(task=task, model=MODELS[task]), Given(**{**WHOLE[task], name: None}))


def with_nan() -> torch.Tensor:
    broken = torch.rand(64, 64, 3)
    broken[3, 5, 1] = float("nan")
    return broken


@pytest.mark.parametrize(
    ("task", "changes", "because"),
    [
        ("i2v", {"image": torch.rand(64, 64)}, "shape 64 x 64"),
        ("i2v", {"image": with_nan()}, "no numbers"),
        ("i2v", {"last_image": torch.rand(64, 64, 1)}, "shape 64 x 64 x 1"),
        ("i2v", {"last_image": with_nan()}, "no numbers"),
        ("edit", {"references": (PICTURE, with_nan())}, "no numbers"),
        ("edit", {"references": (PICTURE,) * 5}, "takes the room of 4 frames"),
        ("edit", {"mask": Footage.of(torch.ones(9, 32, 64, 1))}, "64 x 32 pixels and the clip 64 x 64"),
        ("edit", {"mask": Footage.of(torch.ones(5, 64, 64, 1))}, "the mask has 5 frames and the clip 9"),
        ("edit", {"video": Footage.of(torch.rand(5, 64, 64, 3))}, "it has 5"),
        ("style", {"video": Footage.of(torch.rand(5, 64, 64, 3))}, "it has 5"),
        ("i2v", {"video": CLIP}, "nothing of it is followed"),
    ],
)
def test_what_does_not_fit_is_refused(
    task: str, changes: dict[str, Any], because: str, small: Callable[..., ClipSpec]
) -> None:
    with pytest.raises(ArtifexError, match=because):
        check(small(task=task, model=MODELS[task]), Given(**{**WHOLE[task], **changes}))


def test_a_clip_of_one_frame_has_no_other_last_picture(small: Callable[..., ClipSpec]) -> None:
    with pytest.raises(ArtifexError, match="first frame is given too"):
        check(small(task="i2v", model="smoke-i2v", frames=1), Given(**WHOLE["i2v"]))


def test_motion_without_a_guide_is_refused(small: Callable[..., ClipSpec]) -> None:
    with pytest.raises(ArtifexError, match="no clip whose motion"):
        check(small(task="i2v", model="smoke-i2v", strength=0.9), Given(**WHOLE["i2v"]))

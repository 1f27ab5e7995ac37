"""What an artist hands in beside words, and what of it each task takes: asked before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.footage import Footage
from artifexpro.core.wan22.picture import check_picture
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.s2v.speech import check_sound

if TYPE_CHECKING:
    from torch import Tensor

TAKES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "t2v": (),
        "ti2v": ("image",),
        "i2v": ("image", "last_image", "video"),
        "style": ("video",),
        "edit": ("video", "mask", "references"),
        "s2v": ("image", "sound", "poses"),
    }
)
NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"i2v": ("image",), "style": ("video",), "edit": ("video", "mask"), "s2v": ("image", "sound")}
)
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "image": "picture to start from",
        "last_image": "picture to end with",
        "video": "clip",
        "mask": "mask",
        "references": "reference picture",
        "sound": "sound",
        "poses": "pose clip",
    }
)
MOST_REFERENCES = 4


@dataclass(frozen=True, slots=True)
class Given:
    """Pictures are (H, W, 3), display-referred sRGB in 0..1.

    `video` is the clip to restyle or to edit, or, for image to video, the one whose motion guides. `mask` covers what
    is made new. `sound` is speech, (samples,) at 16 kHz, full scale at 1; `poses` moves who speaks, on black.
    """

    image: Tensor | None = None
    last_image: Tensor | None = None
    video: Footage | None = None
    mask: Footage | None = None
    references: tuple[Tensor, ...] = ()
    sound: Tensor | None = None
    poses: Footage | None = None

    def names(self) -> tuple[str, ...]:
        """What is there."""
        there = {
            "image": self.image is not None,
            "last_image": self.last_image is not None,
            "video": self.video is not None,
            "mask": self.mask is not None,
            "references": bool(self.references),
            "sound": self.sound is not None,
            "poses": self.poses is not None,
        }
        return tuple(name for name, given in there.items() if given)


NOTHING = Given()


def check(spec: ClipSpec, given: Given) -> None:
    """Refuse what `spec`'s task cannot use, lacks, or cannot use in this shape. Reads no frame of a clip.

    Raises `ArtifexError` (codes "image", "sound").
    """
    task, there = catalogue.TASKS[spec.task], given.names()
    for name in there:
        if name not in TAKES[spec.task]:
            takes = " and ".join(f"a {WORDS[each]}" for each in TAKES[spec.task]) or "words alone"
            raise _refusal(f"use a {WORDS[name]} for {task}", f"this task has no {WORDS[name]}", f"{takes}")
    for name in NEEDS.get(spec.task, ()):
        if name not in there:
            raise _refusal(f"do {task}", f"there is no {WORDS[name]}", f"a {WORDS[name]}")
    for image, attempted in (
        (given.image, "start the clip from a picture"),
        (given.last_image, "end the clip with a picture"),
        *((reference, "use a reference picture") for reference in given.references),
    ):
        if image is not None:
            check_picture(image, attempted)
    if len(given.references) > MOST_REFERENCES:
        raise _refusal(
            f"use {len(given.references)} reference pictures",
            f"each takes the room of 4 frames, and more than {MOST_REFERENCES} are not followed",
            f"the {MOST_REFERENCES} that matter most",
        )
    if given.last_image is not None and spec.frames < 5:
        raise _refusal(
            f"end a clip of {spec.frames} frame with another picture",
            "its first frame is given too",
            "5 frames or more",
        )
    _check_guide(spec, given)
    if given.sound is not None:
        check_sound(given.sound)
    if given.video is not None:
        check_long_enough(spec.frames, given.video.frames)
    if given.mask is not None and given.video is not None:
        _check_mask(given.video, given.mask)


def _check_guide(spec: ClipSpec, given: Given) -> None:
    if spec.task != "i2v" or (given.video is None) == (spec.strength == 1.0):
        return
    if given.video is None:
        because, remedy = "there is no clip whose motion to follow", "a motion guide"
    else:
        because, remedy = "nothing of it is followed", "a motion above 0, such as 0.1"
    raise _refusal(f"follow a motion guide by {1 - spec.strength:g}", because, remedy)


def check_long_enough(frames: int, there: int) -> None:
    """Refuse a clip of `there` frames for one of `frames`. Raises `ArtifexError` (code "image")."""
    if there < frames:
        raise _refusal(
            f"make {frames} frames from a clip",
            f"it has {there}",
            f"a clip of {frames} frames or more, or at most {max(1, (there - 1) // 4 * 4 + 1)} frames",
        )


def _check_mask(video: Footage, mask: Footage) -> None:
    if (mask.width, mask.height) != (video.width, video.height):
        raise _refusal(
            "edit the clip inside the mask",
            f"the mask is {mask.width} x {mask.height} pixels and the clip {video.width} x {video.height}",
            "a mask of the clip's size",
        )
    if mask.frames not in (1, video.frames):
        raise _refusal(
            "edit the clip inside the mask",
            f"the mask has {mask.frames} frames and the clip {video.frames}",
            "a mask as long as the clip, or one picture for all of it",
        )


def _refusal(attempted: str, because: str, remedy: str) -> ArtifexError:
    return ArtifexError(attempted, because, remedy, code="image")

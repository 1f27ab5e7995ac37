"""Generators over Wan2.2: a clip made once, kept as one file a frame, read like any footage.

A clip's folder holds `frames/` (half float EXR in display-referred sRGB, as the model sees pictures), the latents it
was decoded from, and `clip.json` with its settled numbers and what its audience must know. A clip that could not be
decoded, for want of memory or disk, is not denoised again at the next try: its latents wait.

What is generated from words is numbered from `first_frame`; what is made of another clip keeps that clip's numbers and
rate.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.kinds import GeneratorNode
from artifexpro.core.graph.node import Preflight, Socket, parameter
from artifexpro.core.graph.values import (
    WORKING_SPACE,
    FrameRequest,
    ImageBuffer,
    MaskStream,
    SocketType,
    StreamInfo,
    VideoStream,
)
from artifexpro.core.lazy import torch
from artifexpro.core.media import color, still
from artifexpro.core.media.files import write_text
from artifexpro.core.media.frames import FramePattern
from artifexpro.core.media.pixels import crop, from_rgb
from artifexpro.core.nodes import material
from artifexpro.core.nodes.material import Inputs
from artifexpro.core.wan22 import catalogue, here, plan, smoke, weights
from artifexpro.core.wan22.given import Given
from artifexpro.core.wan22.prompts import DEFAULT_NEGATIVE_PROMPT
from artifexpro.core.wan22.request import LARGEST_FEATHER, ClipSpec, resolve
from artifexpro.core.wan22.sources import Source

_CLIP = "clip.json"
_UNKNOWN: Mapping[str, StreamInfo] = MappingProxyType({})
_OWN = "0 is the preset's."
_STYLE = "A look in one word, whose description is added to the prompt."
Style = Literal[
    "none", "anime", "watercolour", "oil painting", "pencil", "clay", "paper", "comic", "film noir", "super 8", "neon"
]


class _WanGenerator(GeneratorNode):
    """What the Wan2.2 generators share: parameters, keys, and the clip's folder."""

    category: ClassVar[str] = "generator"
    task: ClassVar[str] = ""
    example: ClassVar[Mapping[str, Any]] = {
        "prompt": "a paper boat drifts down a rain gutter, evening light",
        "preset": "Draft",
        "seed": 7,
    }

    prompt: str = parameter("", "What should be seen.")
    negative_prompt: str = parameter(DEFAULT_NEGATIVE_PROMPT, "What should not be seen; empty is nothing.")
    model: str = parameter("smoke", 'The model, as "artifexpro models list" names it.')
    preset: Literal["Draft", "Preview", "Production", "Cinema"] = parameter(
        "Draft", "Size, length, steps and guidance in one word."
    )
    profile: Literal["Auto", "Speed", "Memory", "Quality"] = parameter(
        "Auto", "What is won or spared; Auto computes plainly and spares memory only where a clip does not fit."
    )
    seed: int = parameter(
        0, "The same seed gives the same clip; another one gives another take.", minimum=0, maximum=2**63 - 1
    )
    width: int = parameter(0, f"Width of the clip; {_OWN}", minimum=0, maximum=32768, unit="px")
    height: int = parameter(0, f"Height of the clip; {_OWN}", minimum=0, maximum=32768, unit="px")
    frames: int = parameter(0, f"Length of the clip; {_OWN}", minimum=0, maximum=4093, unit="frames")
    steps: int = parameter(0, f"Denoising steps; {_OWN}", minimum=0, maximum=1000)
    shift: float = parameter(
        0.0, "Shift of the noise schedule towards noise; 0 is what the model was made for.", minimum=0.0, maximum=100.0
    )

    def preflight(self, context: Preflight) -> None:
        spec = self.spec(models=context.models)
        model = catalogue.model(spec.model)
        if not weights.installed(context.models, model, spec.dtype):
            raise weights.missing(context.models, model)

    def fingerprint(self, context: Preflight) -> str:
        """The weights' hashes, and the settled numbers, which presets of another release may settle otherwise. Empty
        where preflight refuses the parameters."""
        try:
            spec = self.spec(models=context.models)
        except ArtifexError:
            return ""
        model = catalogue.model(spec.model)
        made_of = smoke.RECIPE if model.random else weights.provenance(context.models, model, spec.dtype)
        return json.dumps([spec.as_json(), made_of], sort_keys=True)

    def provenance(self, models: Path) -> Mapping[str, Any]:
        spec = self.spec(models=models)
        model = catalogue.model(spec.model)
        if model.random:
            smoke.ensure(models, model)
        made_of = weights.provenance(models, model, spec.dtype)
        return {"model": {**made_of, "licence": model.licence}, "spec": spec.as_json()}

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        spec, first = self.spec(infos), self.first(infos)
        return StreamInfo(first, first + spec.frames - 1, self.rate(infos), *spec.picture_size)

    def peak_vram(self, infos: Mapping[str, StreamInfo]) -> int:
        if not torch.cuda.is_available():
            return 0
        return round(here.machine(torch.device("cuda")).plan(self.spec(infos)).peak_vram_gb * plan.GB)

    def generate(self, context: JobContext, folder: Path, halfway: Path, **inputs: VideoStream | MaskStream) -> None:
        from artifexpro.core.wan22.generate import LATENTS, decode_saved, generate

        infos = {name: stream.info for name, stream in inputs.items()}
        spec, given = self.spec(infos, context.models), self.given(inputs)
        listening = _Listening(context)
        frames = _frames(folder)
        frames.folder.mkdir()
        latents = halfway / LATENTS
        if latents.exists():
            pictures = decode_saved(latents, context.models, listening, material=given)
        else:
            pictures = generate(spec, context.models, listening, folder=halfway, material=given)
        header = still.Header(color.DISPLAY, self.rate(infos))
        for index, picture in pictures:
            context.check()
            still.write(frames.path(index), from_rgb(picture), "exr", header)
        computed = _computed(latents)
        latents.replace(folder / LATENTS)
        clip = {
            "first": self.first(infos),
            "frames": spec.frames,
            "size": list(spec.picture_size),
            "space": color.DISPLAY,
            "notes": listening.notes,
            **self.provenance(context.models),
            "spec": spec.as_json(),
            "computed": computed,
        }
        write_text(folder / _CLIP, json.dumps(clip, indent=1, ensure_ascii=False) + "\n")

    def remember(self, context: JobContext, folder: Path) -> None:
        """Notes, and in the recipe how the clip was computed: levers and device as it really went."""
        clip = json.loads((folder / _CLIP).read_text(encoding="utf-8"))
        for sentence in clip["notes"]:
            context.note(sentence)
        if "computed" in clip:
            context.recipe.setdefault("computed", {})[folder.name] = clip["computed"]

    def spec(self, infos: Mapping[str, StreamInfo] = _UNKNOWN, models: Path | None = None) -> ClipSpec:
        """Everything settled, as far as `infos` of the inputs are known, and with what `models` has for the profile.
        Raises `ArtifexError` where the parameters do not go together, or not with the inputs."""
        return resolve(
            task=self.task,
            model=self.model,
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            preset=self.preset,
            width=self.width,
            height=self.height,
            frames=self.frames,
            steps=self.steps,
            seed=self.seed,
            shift=self.shift or None,
            profile="" if self.profile == "Auto" else self.profile,
            models=models,
            **self.more(infos),
        )

    def more(self, infos: Mapping[str, StreamInfo]) -> Mapping[str, Any]:
        """What this task settles besides: further arguments of `resolve`."""
        return {}

    def given(self, inputs: Inputs) -> Given:
        """What is connected, as the task takes it."""
        return Given()

    def first(self, infos: Mapping[str, StreamInfo]) -> int:
        """Number of the clip's first frame."""
        raise NotImplementedError

    def rate(self, infos: Mapping[str, StreamInfo]) -> Fraction:
        """Frames a second of the clip."""
        raise NotImplementedError


class _FromWords(_WanGenerator):
    """A clip of its own length and rate, numbered as its parameter says."""

    first_frame: int = parameter(
        1001, "Number of the clip's first frame in this graph.", minimum=-1_000_000, maximum=100_000_000, unit="frames"
    )

    def first(self, infos: Mapping[str, StreamInfo]) -> int:
        return self.first_frame

    def rate(self, infos: Mapping[str, StreamInfo]) -> Fraction:
        return catalogue.model(self.model).rate

    def read(self, folder: Path, request: FrameRequest) -> ImageBuffer:
        return _read(folder, request, self.first_frame, self.describe({}).size_at(request.scale))


class _FromClip(_WanGenerator):
    """A clip made of another one, which decides on size, length, numbers and rate."""

    width: int = parameter(
        0, "Width of the clip; 0 follows the source's shape and the preset's size.", minimum=0, maximum=32768, unit="px"
    )
    height: int = parameter(
        0,
        "Height of the clip; 0 follows the source's shape and the preset's size.",
        minimum=0,
        maximum=32768,
        unit="px",
    )
    frames: int = parameter(
        0, "Frames from the source's beginning; 0 is all of it.", minimum=0, maximum=4093, unit="frames"
    )

    def provenance(self, models: Path) -> Mapping[str, Any]:
        """Without the numbers that the source decides on: the clip's own folder has those."""
        said = dict(super().provenance(models))
        own = {"frames": self.frames, "width": self.width, "height": self.height}
        said["spec"] = {name: value for name, value in said["spec"].items() if own.get(name, 1)}
        return said

    def more(self, infos: Mapping[str, StreamInfo]) -> Mapping[str, Any]:
        info = infos.get("video")
        return {} if info is None else {"source": Source(info.width, info.height, len(info), info.rate)}

    def first(self, infos: Mapping[str, StreamInfo]) -> int:
        return infos["video"].first

    def rate(self, infos: Mapping[str, StreamInfo]) -> Fraction:
        return infos["video"].rate

    def read(self, folder: Path, request: FrameRequest) -> ImageBuffer:
        first, width, height = _made(folder)
        size = StreamInfo(0, 0, Fraction(1), width, height).size_at(request.scale)
        return _read(folder, request, first, size)


class TI2VGenerator(_FromWords):
    """Generates a clip from words, and from a picture that becomes its first frame, if one is connected."""

    task: ClassVar[str] = "ti2v"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("image", SocketType.IMAGE, optional=True),)

    def given(self, inputs: Inputs) -> Given:
        return Given(image=material.picture(inputs, "image"))


class T2VGenerator(_FromWords):
    """Generates a clip from words."""

    task: ClassVar[str] = "t2v"

    style_preset: Style = parameter("none", _STYLE)

    def more(self, infos: Mapping[str, StreamInfo]) -> Mapping[str, Any]:
        return {"style": self.style_preset}


class I2VGenerator(_FromWords):
    """Generates a clip that begins with a picture, and ends with another one if that is connected.

    A motion guide is a clip whose coarse movement the new one follows: it begins from the guide with much noise
    instead of noise alone.
    """

    task: ClassVar[str] = "i2v"
    inputs: ClassVar[tuple[Socket, ...]] = (
        Socket("image", SocketType.IMAGE),
        Socket("last_image", SocketType.IMAGE, optional=True),
        Socket("motion_guide", SocketType.VIDEO, optional=True),
    )

    model: str = parameter("smoke-i2v", 'The model, as "artifexpro models list" names it.')
    motion: float = parameter(
        0.1, "How firmly a motion guide is followed: the share of the steps it stands for.", minimum=0.0, maximum=0.95
    )

    def more(self, infos: Mapping[str, StreamInfo]) -> Mapping[str, Any]:
        return {"strength": 1 - self.motion} if "motion_guide" in infos else {}

    def given(self, inputs: Inputs) -> Given:
        return Given(
            image=material.picture(inputs, "image"),
            last_image=material.picture(inputs, "last_image"),
            video=material.footage(inputs.get("motion_guide")),
        )


class StyleTransfer(_FromClip):
    """Makes a clip again in another style: by a prompt, a look by name, or both. It keeps its numbers and rate."""

    task: ClassVar[str] = "style"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    example: ClassVar[Mapping[str, Any]] = {"prompt": "a harbour at dusk", "style_preset": "watercolour", "seed": 7}

    style_preset: Style = parameter("none", _STYLE)
    strength: float = parameter(
        0.7, "How far from the source: 0.3 keeps nearly all of it, 1 nothing.", minimum=0.0, maximum=1.0
    )

    def more(self, infos: Mapping[str, StreamInfo]) -> Mapping[str, Any]:
        return {**super().more(infos), "style": self.style_preset, "strength": self.strength}

    def given(self, inputs: Inputs) -> Given:
        return Given(video=material.footage(inputs.get("video")))


class MaskedEdit(_FromClip):
    """Makes new what a mask covers of a clip, as the prompt says, and like a reference picture if one is connected."""

    task: ClassVar[str] = "edit"
    inputs: ClassVar[tuple[Socket, ...]] = (
        Socket("video", SocketType.VIDEO),
        Socket("mask", SocketType.MASK),
        Socket("reference", SocketType.IMAGE, optional=True),
    )
    example: ClassVar[Mapping[str, Any]] = {"prompt": "a red sports car", "feather": 12, "seed": 7}

    model: str = parameter("smoke-vace", 'The model, as "artifexpro models list" names it.')
    keep_outside: bool = parameter(
        True, "Lay the result over the source, so that nothing outside the mask changes at all."
    )
    feather: int = parameter(
        8,
        "Softness of the mask's edge, inwards, where the result lies over the source.",
        minimum=0,
        maximum=LARGEST_FEATHER,
        unit="px",
    )

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        mask, video = infos.get("mask"), infos["video"]
        if mask is not None and not (mask.still or mask.endless):
            material.check_same(mask, video)
        return super().describe(infos)

    def more(self, infos: Mapping[str, StreamInfo]) -> Mapping[str, Any]:
        return {**super().more(infos), "feather": self.feather if self.keep_outside else None}

    def given(self, inputs: Inputs) -> Given:
        reference = material.picture(inputs, "reference")
        video, mask = inputs["video"], inputs["mask"]
        return Given(
            video=material.footage(video),
            mask=material.footage(mask, like=video.info),
            references=() if reference is None else (reference,),
        )


class _Listening:
    """Hands everything on to the job and keeps the notes, so that later jobs that use the clip can say them too."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self.notes: list[str] = []

    def check(self) -> None:
        self._context.check()

    def progress(self, stage: str, done: int, total: int) -> None:
        self._context.progress(stage, done, total)

    def preview(self, pixels: torch.Tensor) -> None:
        self._context.preview(pixels)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)
        self._context.note(sentence)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        with self._context.stage(name):
            yield


def _computed(latents: Path) -> dict[str, Any]:
    """How a clip was really computed: its levers as the plan, or what happened on the way, left them, and where."""
    from artifexpro.core.wan22.generate import load_latents

    levers = load_latents(latents)[1].levers
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    return {"levers": levers.as_json(), "device": device}


def _frames(folder: Path) -> FramePattern:
    """Frames by index from 0."""
    return FramePattern(folder / "frames", "frame.", 4, ".exr")


def _read(folder: Path, request: FrameRequest, first: int, size: tuple[int, int]) -> ImageBuffer:
    path = _frames(folder).path(request.frame - first)
    return ImageBuffer(crop(still.read(path, size, color.DISPLAY), request.region), WORKING_SPACE)


@lru_cache(maxsize=64)
def _made(folder: Path) -> tuple[int, int, int]:
    """First frame, width and height of a finished clip, whose folder never changes."""
    clip = json.loads((folder / _CLIP).read_text(encoding="utf-8"))
    return clip["first"], *clip["size"]

"""Generators over Wan2.2: a clip made once, kept as one file a frame, read like any footage.

A clip's folder holds `frames/` (half float EXR in display-referred sRGB, as the model sees pictures), the latents it
was decoded from, and `clip.json` with what its audience must know. A clip that could not be decoded, for want of memory
or disk, is not denoised again at the next try: its latents wait.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.kinds import GeneratorNode
from artifexpro.core.graph.node import Preflight, Socket, parameter
from artifexpro.core.graph.values import WORKING_SPACE, FrameRequest, ImageBuffer, SocketType, StreamInfo, VideoStream
from artifexpro.core.lazy import torch
from artifexpro.core.media import color, still
from artifexpro.core.media.files import write_text
from artifexpro.core.media.frames import FramePattern
from artifexpro.core.media.pixels import crop, from_rgb
from artifexpro.core.wan22 import catalogue, plan, smoke, weights
from artifexpro.core.wan22.prompts import DEFAULT_NEGATIVE_PROMPT
from artifexpro.core.wan22.request import ClipSpec, resolve

_CLIP = "clip.json"
_OWN = "0 is the preset's."


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
    seed: int = parameter(
        0, "The same seed gives the same clip; another one gives another take.", minimum=0, maximum=2**63 - 1
    )
    width: int = parameter(0, f"Width of the clip; {_OWN}", minimum=0, maximum=32768, unit="px")
    height: int = parameter(0, f"Height of the clip; {_OWN}", minimum=0, maximum=32768, unit="px")
    frames: int = parameter(0, f"Length of the clip; {_OWN}", minimum=0, maximum=4093, unit="frames")
    steps: int = parameter(0, f"Denoising steps; {_OWN}", minimum=0, maximum=1000)
    first_frame: int = parameter(
        1001, "Number of the clip's first frame in this graph.", minimum=-1_000_000, maximum=100_000_000, unit="frames"
    )

    def preflight(self, context: Preflight) -> None:
        spec = self.spec()
        model = catalogue.model(spec.model)
        if not weights.installed(context.models, model, spec.dtype):
            raise weights.missing(context.models, model)

    def fingerprint(self, context: Preflight) -> str:
        """The weights' hashes, and the settled numbers, which presets of another release may settle otherwise. Empty
        where preflight refuses the parameters."""
        try:
            spec = self.spec()
        except ArtifexError:
            return ""
        model = catalogue.model(spec.model)
        made_of = smoke.RECIPE if model.random else weights.provenance(context.models, model, spec.dtype)
        return json.dumps([spec.as_json(), made_of], sort_keys=True)

    def provenance(self, models: Path) -> Mapping[str, Any]:
        spec = self.spec()
        model = catalogue.model(spec.model)
        if model.random:
            smoke.ensure(models, model)
        made_of = weights.provenance(models, model, spec.dtype)
        return {"model": {**made_of, "licence": model.licence}, "spec": spec.as_json()}

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        spec = self.spec()
        rate = catalogue.model(spec.model).rate
        return StreamInfo(self.first_frame, self.first_frame + spec.frames - 1, rate, spec.width, spec.height)

    def peak_vram(self, infos: Mapping[str, StreamInfo]) -> int:
        return round(plan.make(self.spec(), math.inf).peak_vram_gb * plan.GB) if torch.cuda.is_available() else 0

    def generate(self, context: JobContext, folder: Path, halfway: Path, **inputs: VideoStream) -> None:
        from artifexpro.core.wan22.generate import LATENTS, decode_saved, generate

        spec = self.spec()
        listening = _Listening(context)
        frames = _frames(folder)
        frames.folder.mkdir()
        latents = halfway / LATENTS
        if latents.exists():
            pictures = decode_saved(latents, context.models, listening)
        else:
            image = _first_picture(inputs["image"]) if "image" in inputs else None
            pictures = generate(spec, context.models, listening, folder=halfway, image=image)
        header = still.Header(color.DISPLAY, catalogue.model(spec.model).rate)
        for index, picture in pictures:
            context.check()
            still.write(frames.path(index), from_rgb(picture), "exr", header)
        latents.replace(folder / LATENTS)
        clip = {
            "frames": spec.frames,
            "space": color.DISPLAY,
            "notes": listening.notes,
            **self.provenance(context.models),
        }
        write_text(folder / _CLIP, json.dumps(clip, indent=1, ensure_ascii=False) + "\n")

    def read(self, folder: Path, request: FrameRequest) -> ImageBuffer:
        size = self.describe({}).size_at(request.scale)
        path = _frames(folder).path(request.frame - self.first_frame)
        return ImageBuffer(crop(still.read(path, size, color.DISPLAY), request.region), WORKING_SPACE)

    def remember(self, context: JobContext, folder: Path) -> None:
        for sentence in json.loads((folder / _CLIP).read_text(encoding="utf-8"))["notes"]:
            context.note(sentence)

    def spec(self) -> ClipSpec:
        """Everything settled. Raises `ArtifexError` where the parameters do not go together."""
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
        )


class TI2VGenerator(_WanGenerator):
    """Generates a clip from words, and from a picture that becomes its first frame, if one is connected."""

    task: ClassVar[str] = "ti2v"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("image", SocketType.IMAGE, optional=True),)


class T2VGenerator(_WanGenerator):
    """Generates a clip from words."""

    task: ClassVar[str] = "t2v"


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


def _frames(folder: Path) -> FramePattern:
    """Frames by index from 0."""
    return FramePattern(folder / "frames", "frame.", 4, ".exr")


def _first_picture(image: VideoStream) -> torch.Tensor:
    """The picture as the model sees it: (H, W, 3), display-referred sRGB in 0..1, transparent parts on black."""
    picture = image.frame(image.info.first)
    shown = color.transform(picture.pixels, picture.space, color.DISPLAY).clamp(0, 1)
    return shown[0, :3].permute(1, 2, 0).contiguous()

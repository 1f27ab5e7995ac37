"""Generators over Wan2.2: a clip made once, kept as one file a frame, read like any footage.

A clip's folder holds `frames/` (half float EXR in display-referred sRGB, as the model sees pictures), the latents it
was decoded from, and `clip.json` with its settled numbers and what its audience must know. A clip that could not be
decoded, for want of memory or disk, is not denoised again at the next try: its latents wait.

What is generated from words is numbered from `first_frame`; for what is made of another clip see `restyling`.
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
    SocketType,
    StreamInfo,
)
from artifexpro.core.lazy import torch
from artifexpro.core.media import color, still
from artifexpro.core.media.files import check_readable, identity, sha256, write_text
from artifexpro.core.media.frames import FramePattern
from artifexpro.core.media.pixels import crop, from_rgb
from artifexpro.core.nodes import material
from artifexpro.core.nodes.material import Inputs
from artifexpro.core.wan22 import catalogue, here, plan, smoke, weights
from artifexpro.core.wan22.given import Given, check_long_enough
from artifexpro.core.wan22.levers import Expert, Levers, Lora
from artifexpro.core.wan22.prompting import writers
from artifexpro.core.wan22.prompting.defaults import DEFAULT_NEGATIVE_PROMPT
from artifexpro.core.wan22.prompting.wording import Wording
from artifexpro.core.wan22.request import ClipSpec, resolve

CLIP = "clip.json"
_UNKNOWN: Mapping[str, StreamInfo] = MappingProxyType({})
_OWN = "0 is the preset's."
STYLE = "A look in one word, whose description is added to the prompt."
STYLE_STRENGTH = "How much of that description: 0 is nothing of it, 1 all of its five phrases."
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
    negative_prompt: str = parameter(
        DEFAULT_NEGATIVE_PROMPT,
        "What should not be seen; empty is nothing. Left as it is, each model avoids what it was made to avoid: Wan's "
        "own this, the small one in the package nothing.",
    )
    avoid: str = parameter("", "What should not be seen besides: joins the negative prompt.")
    conflicts: Literal["tell", "resolve"] = parameter(
        "tell",
        "What the negative prompt forbids although the prompt asks for it is told; resolve also takes it out of there.",
    )
    extend: Literal["none", "rules", "qwen"] = parameter(
        "none",
        "What writes more of the prompt: nothing, rules that add how it is filmed, or a language model on this "
        "machine. Original and difference are told and kept.",
    )
    extend_model: str = parameter(
        "", f"The language model for qwen: a folder among the models, or a whole path; empty is {writers.DEFAULT}."
    )
    extend_seed: int = parameter(
        0, "Another seed extends in other words; that of the clip does not.", minimum=0, maximum=2**63 - 1
    )
    extend_language: Literal["same", "English"] = parameter("same", "What an extension is written in.")
    model: str = parameter("wan22-tiny", 'The model, as "artifexpro models list" names it.')
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
    guidance: float = parameter(
        0.0,
        f"How strongly the prompt is followed; 1 is not at all and twice as fast. {_OWN}",
        minimum=0.0,
        maximum=100.0,
    )
    guidance_low: float = parameter(
        0.0, "The same for the second half of two experts, at low noise; 0 is as guidance.", minimum=0.0, maximum=100.0
    )
    shift: float = parameter(
        0.0,
        "More steps at high noise (composition) than at low (detail); 0 is the model's.",
        minimum=0.0,
        maximum=100.0,
    )
    scheduler: Literal["auto", "unipc", "dpm++", "euler"] = parameter("auto", "How a step is computed; auto is unipc.")
    profile: Literal["none", "Speed", "Memory", "Quality"] = parameter(
        "none", "What the clip is made to spare, or to win; none computes it plainly, in what memory there is."
    )
    lora: str = parameter("", "A LoRA file, for all the model; beside lora_low for high noise only.", unit="path")
    lora_low: str = parameter("", "A LoRA file for the low noise expert of two.", unit="path")
    lora_strength: float = parameter(1.0, "How much of the LoRAs.", minimum=-4.0, maximum=4.0)
    lora_steps: int = parameter(
        0,
        "The number of steps the LoRAs distil the model to; 0 where they do not.",
        minimum=0,
        maximum=100,
        unit="steps",
    )

    def preflight(self, context: Preflight) -> None:
        for lora in self._loras():
            check_readable(Path(lora.path))
        spec = self.spec(models=context.models)
        model = catalogue.model(spec.model)
        if not weights.installed(context.models, model, spec.dtype):
            raise weights.missing(context.models, model)

    def fingerprint(self, context: Preflight) -> str:
        """The hashes of weights, what LoRA files are, and the settled numbers, which presets of another release may
        settle otherwise. Empty where preflight refuses the parameters."""
        try:
            spec = self.spec(models=context.models)
            files = [identity(Path(lora.path)) for lora in spec.levers.loras]
        except (ArtifexError, OSError):
            return ""
        model = catalogue.model(spec.model)
        made_of = smoke.RECIPE if model.random else weights.provenance(context.models, model, spec.dtype)
        return json.dumps([spec.as_json(), made_of, files], sort_keys=True)

    def provenance(self, models: Path) -> Mapping[str, Any]:
        spec = self.spec(models=models)
        model = catalogue.model(spec.model)
        if model.random:
            smoke.ensure(models, model)
        made_of = weights.provenance(models, model, spec.dtype)
        loras = {lora.path: sha256(Path(lora.path)) for lora in spec.levers.loras}
        said = {"model": {**made_of, "licence": model.licence}, "spec": spec.as_json()}
        return {**said, "loras": loras} if loras else said

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        spec, first = self.spec(infos), self.first(infos)
        return StreamInfo(first, first + spec.frames - 1, self.rate(infos), *spec.picture_size)

    def peak_vram(self, infos: Mapping[str, StreamInfo]) -> int:
        if not torch.cuda.is_available():
            return 0
        needed = round(here.machine(torch.device("cuda")).plan(self.spec(infos)).peak_vram_gb * plan.GB)
        return max(needed, writers.memory(self.extend_model)) if self.extend == "qwen" else needed

    def generate(self, context: JobContext, folder: Path, halfway: Path, **inputs: Any) -> None:
        from artifexpro.core.wan22.generate import LATENTS, decode_saved, generate, load_latents
        from artifexpro.core.wan22.warm import Warm

        infos: dict[str, Any] = {name: stream.info for name, stream in inputs.items()}
        spec, given = self.spec(infos, context.models), self.given(inputs)
        listening = _Listening(context)
        frames = _frames(folder)
        frames.folder.mkdir()
        warm = context.kept.setdefault("wan22", Warm.of_this_machine())
        latents = halfway / LATENTS
        if latents.exists():
            pictures = decode_saved(latents, context.models, listening, material=given, warm=warm)
        else:
            pictures = generate(spec, context.models, listening, folder=halfway, material=given, warm=warm)
        header = still.Header(color.DISPLAY, self.rate(infos))
        for index, picture in pictures:
            context.check()
            still.write(frames.path(index), from_rgb(picture), "exr", header)
        kept = [saved.replace(folder / saved.name) for saved in sorted(halfway.glob("*.safetensors"))]
        run = load_latents(kept[0])[1]
        clip = {
            "first": self.first(infos),
            "frames": spec.frames,
            "size": list(spec.picture_size),
            "space": color.DISPLAY,
            "notes": listening.notes,
            **self.provenance(context.models),
            "spec": run.as_json(),
            "computed": _computed(run),
        }
        write_text(folder / CLIP, json.dumps(clip, indent=1, ensure_ascii=False) + "\n")

    def remember(self, context: JobContext, folder: Path) -> None:
        for sentence in json.loads((folder / CLIP).read_text(encoding="utf-8"))["notes"]:
            context.note(sentence)

    def record(self, context: JobContext, folder: Path) -> None:
        """How the clip was computed: levers, device and extended prompt as it really went."""
        clip = json.loads((folder / CLIP).read_text(encoding="utf-8"))
        if "computed" in clip:
            context.recipe.setdefault("computed", {})[folder.name] = clip["computed"]

    def _is_untouched(self, name: str) -> bool:
        return bool(getattr(self, name) == type(self).model_fields[name].default)

    def spec(self, infos: Mapping[str, StreamInfo] = _UNKNOWN, models: Path | None = None) -> ClipSpec:
        """Everything settled, as far as `infos` of the inputs and the folder of `models` are known. Raises
        `ArtifexError` where the parameters do not go together, or not with the inputs."""
        return resolve(
            task=self.task,
            model=self.model,
            prompt=self.prompt,
            negative_prompt=None if self._is_untouched("negative_prompt") else self.negative_prompt,
            preset=self.preset,
            width=self.width,
            height=self.height,
            frames=self.frames,
            steps=self.steps,
            seed=self.seed,
            guidance=self._guidance(),
            shift=self.shift or None,
            scheduler=None if self.scheduler == "auto" else self.scheduler,
            profile="" if self.profile == "none" else self.profile,
            levers=Levers(loras=self._loras()),
            models=models,
            words=self._wording(),
            **self.more(infos),
        )

    def _wording(self) -> Wording:
        return Wording(
            extend=self.extend,
            extend_model=self.extend_model,
            extend_seed=self.extend_seed,
            extend_language=self.extend_language,
            avoid=self.avoid,
            conflicts=self.conflicts,
            style_strength=getattr(self, "style_strength", 1.0),
        )

    def _guidance(self) -> tuple[float, float] | None:
        """(low noise, high noise); None is the preset's."""
        if not self.guidance and not self.guidance_low:
            return None
        if not self.guidance:
            raise ArtifexError(
                f"guide by {self.guidance_low:g} at low noise",
                "nothing is said about high noise",
                "guidance too, or neither for the preset's",
                code="settings",
            )
        return self.guidance_low or self.guidance, self.guidance

    def _loras(self) -> tuple[Lora, ...]:
        first: Expert = "high" if self.lora_low else "both"
        stated: tuple[tuple[str, Expert], ...] = ((self.lora, first), (self.lora_low, "low"))
        return tuple(Lora(path, self.lora_strength, expert, self.lora_steps) for path, expert in stated if path)

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
        return read_frame(folder, request, self.first_frame)


class TI2VGenerator(_FromWords):
    """Generates a clip from words, and from a picture that becomes its first frame, if one is connected."""

    task: ClassVar[str] = "ti2v"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("image", SocketType.IMAGE, optional=True),)

    def given(self, inputs: Inputs) -> Given:
        return Given(image=material.picture(inputs, "image"))


class T2VGenerator(_FromWords):
    """Generates a clip from words."""

    task: ClassVar[str] = "t2v"

    style_preset: Style = parameter("none", STYLE)
    style_strength: float = parameter(1.0, STYLE_STRENGTH, minimum=0.0, maximum=1.0)

    def more(self, infos: Mapping[str, StreamInfo]) -> Mapping[str, Any]:
        return {"style": self.style_preset}


class I2VGenerator(_FromWords):
    """Generates a clip that begins with a picture, and ends with another one if that is connected.

    Where no size is stated the clip has the picture's shape. A motion guide is a clip whose coarse movement the new one
    follows: it begins from the guide with much noise instead of noise alone.
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

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        made, guide = super().describe(infos), infos.get("motion_guide")
        if guide is not None and not guide.endless:
            check_long_enough(len(made), len(guide))
        return made

    def more(self, infos: Mapping[str, StreamInfo]) -> Mapping[str, Any]:
        image = infos.get("image")
        settled: dict[str, Any] = {} if image is None else {"picture": (image.width, image.height)}
        return {**settled, "strength": 1 - self.motion} if "motion_guide" in infos else settled

    def given(self, inputs: Inputs) -> Given:
        return Given(
            image=material.picture(inputs, "image"),
            last_image=material.picture(inputs, "last_image"),
            video=material.footage(inputs.get("motion_guide")),
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


def _computed(run: ClipSpec) -> dict[str, Any]:
    """How a clip was really computed: its levers as the plan, or what happened on the way, left them, where, and from
    which words if they were extended."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    computed = {"levers": run.levers.as_json(), "device": device}
    if run.extension is None:
        return computed
    return {**computed, "prompt": run.extension.as_json(), "negative_prompt": run.negative_prompt}


def _frames(folder: Path) -> FramePattern:
    """Frames by index from 0."""
    return FramePattern(folder / "frames", "frame.", 4, ".exr")


def read_frame(folder: Path, request: FrameRequest, first: int) -> ImageBuffer:
    """A frame of a finished clip whose first one has the number `first`."""
    path = _frames(folder).path(request.frame - first)
    size = made(folder).size_at(request.scale)
    return ImageBuffer(crop(still.read(path, size, color.DISPLAY), request.region), WORKING_SPACE)


@lru_cache(maxsize=64)
def made(folder: Path) -> StreamInfo:
    """Numbers and size of a finished clip, whose folder never changes."""
    clip = json.loads((folder / CLIP).read_text(encoding="utf-8"))
    return StreamInfo(clip["first"], clip["first"] + clip["frames"] - 1, Fraction(1), *clip["size"])

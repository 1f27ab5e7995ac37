"""From what an artist asked for to a `ClipSpec` with every number settled, or a refusal that says what would do."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, profiles, schedule, sources
from artifexpro.core.wan22 import levers as pulled
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.presets import Preset, delivered_size
from artifexpro.core.wan22.presets import preset as preset_named
from artifexpro.core.wan22.prompting import styles, wording
from artifexpro.core.wan22.prompting.defaults import DEFAULT_NEGATIVE_PROMPT, SPEECH_NEGATIVE_PROMPT
from artifexpro.core.wan22.prompting.prompt import Prompt
from artifexpro.core.wan22.prompting.wording import Wording
from artifexpro.core.wan22.s2v import film
from artifexpro.core.wan22.sources import Source

DTYPES = ("float32", "bfloat16", "float16")
SCHEDULERS = ("unipc", "dpm++", "euler")
MOST_STEPS = 1000
LARGEST_SEED = 2**63 - 1
LONGEST_FILM = 9_600
"""Frames of a film of speech: ten minutes, through which its sound's features are held in memory (1 GB)."""
LARGEST_FEATHER = 512
STRENGTH: Mapping[str, float] = MappingProxyType({"style": 0.7, "i2v": 1.0})
"""What a clip that begins from another one takes of the steps, by task; other tasks begin from noise."""


_TUPLES = ("guidance", "notes", "sigmas", "after", "delivered")


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """One clip, everything settled: the same spec, weights and machine give the same bytes.

    `guidance` is (low noise, high noise); 1.0 means no unconditional pass. `sigmas`, where given, are the noise levels
    of each step before the shift, from 1 down. `strength` is the share of the steps that is taken where a clip begins
    from another one. `feather` is the softness in pixels of the mask's edge where an edited clip is laid over its
    source; None leaves the whole picture as the model made it. `levers` say how it is computed, and `profile` what the
    plan may add to them ("" is nothing but what makes it fit). `after` is the work on decoded frames, which leave it in
    the size `delivered` ((0, 0) is as generated). `from_picture` lets a film of speech go on from its picture, which
    otherwise only says who is seen. `extension` is what is to be made, or was made, of the prompt before it is read;
    None leaves it alone. `style_strength` is the share of the style's phrases, `conflicts` what becomes of terms of the
    negative prompt that forbid what the prompt asks for. `notes` are sentences the artist must see.
    """

    task: str
    model: str
    prompt: str
    negative_prompt: str
    preset: str
    width: int
    height: int
    frames: int
    steps: int
    guidance: tuple[float, float]
    shift: float
    seed: int
    dtype: str
    scheduler: str
    sigmas: tuple[float, ...] | None = None
    from_picture: bool = False
    strength: float = 1.0
    style: str = "none"
    feather: int | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)
    levers: Levers = field(default=Levers())
    profile: str = ""
    after: tuple[str, ...] = ()
    delivered: tuple[int, int] = (0, 0)
    extension: Prompt | None = None
    style_strength: float = 1.0
    conflicts: str = "tell"

    @property
    def picture_size(self) -> tuple[int, int]:
        """(width, height) in pixels of the frames that come out: `delivered` where the after-work enlarges them."""
        return self.delivered if self.delivered != (0, 0) else (self.width, self.height)

    @property
    def words(self) -> str:
        """What the text encoder reads: the prompt, extended where that was asked for, and what the style adds."""
        prompt = self.prompt if self.extension is None else self.extension.text
        return ", ".join(part for part in (prompt.strip(), styles.words(self.style, self.style_strength)) if part)

    def as_json(self) -> dict[str, Any]:
        """The spec as plain data for recipes and file headers."""
        return {**asdict(self), "extension": None if self.extension is None else self.extension.as_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ClipSpec:
        """A spec from `as_json`, also through JSON text and of a release that had fewer fields.

        Raises TypeError, KeyError or ValueError for anything else.
        """
        tuples = {name: tuple(data[name]) for name in _TUPLES if data.get(name) is not None}
        extension = data.get("extension")
        made = {
            "levers": Levers.from_json(data.get("levers", {})),
            "extension": None if extension is None else Prompt.from_json(extension),
        }
        return cls(**{**data, **tuples, **made})


def resolve(
    *,
    prompt: str,
    model: str = "smoke",
    task: str | None = None,
    preset: str = "Draft",
    negative_prompt: str | None = None,
    width: int = 0,
    height: int = 0,
    frames: int = 0,
    steps: int = 0,
    guidance: float | tuple[float, float] | None = None,
    shift: float | None = None,
    seed: int = 0,
    dtype: str | None = None,
    scheduler: str | None = None,
    sigmas: tuple[float, ...] | None = None,
    from_picture: bool = False,
    levers: Levers = Levers(),  # noqa: B008
    profile: str = "",
    models: Path | None = None,
    strength: float | None = None,
    style: str = "none",
    feather: int | None = None,
    source: Source | None = None,
    picture: tuple[int, int] | None = None,
    words: Wording = Wording(),  # noqa: B008
) -> ClipSpec:
    """A checked `ClipSpec` from a preset and overrides; 0 and None stand for the preset's or the model's own.

    `task` is by default the model's first. `guidance` is one number for both experts or (low noise, high noise).
    `levers` with step-distilled LoRAs settle steps, shift, guidance and scheduler where these are not given.
    `profile` adds its wishes to the levers that are at their default; with `models`, also the distilled weights that
    are there. `source` is the clip to restyle or to edit, or, of a film of speech, the size of its picture and the
    length of its sound: size and length follow it where they are not stated. Raises `ArtifexError` (codes "settings",
    "model", "prompt") with the nearest values that would do in its remedy.
    `picture` is the size (width, height) of the picture that a clip begins with, whose shape it then has. `words` says
    how the prompts are to be used.
    """
    spec = catalogue.usable(model)
    chosen = preset_named(preset)
    notes: list[str] = []
    wishes = profiles.profile(profile)
    levers = profiles.with_distilled(wishes, levers, spec, models, notes)
    wanted = _task(spec, task)
    shape = Source(*picture, 1, spec.rate) if picture and source is None else source
    size = _size(spec, chosen, width, height, shape, notes)
    length = frames or chosen.frames
    if source is not None and spec.speech is not None:
        length = frames or source.frames
    elif source is not None:
        length = sources.length_of(source, spec, frames, notes)
    _check_length(spec, length, notes)
    pulled.check(levers, spec)
    if levers.distilled and sigmas is None:
        sigmas = pulled.distilled_levels(_steps(steps or levers.distilled))
        shift = pulled.DISTILLED_SHIFT if shift is None else shift
        guidance = 1.0 if guidance is None else guidance
        scheduler = scheduler or "euler"
        notes.append(
            f"Weights distilled to {levers.distilled} steps: {len(sigmas)} steps at shift {shift:g}, {scheduler}, "
            f"guidance {_pair(guidance)}."
        )
    levels = None if sigmas is None else _levels(sigmas, steps)
    count = len(levels) if levels else _steps(steps or chosen.steps)
    delivered = _delivered(spec, chosen, size, notes)
    strong = _strength(wanted, strength, count, notes)
    latents = spec.latent_shape(*size, length)[2]
    levers = profiles.with_wishes(wishes, levers, schedule.taken(count, strong), latents, spec)
    scales = _guidance(spec, chosen, guidance, notes)
    forbidden = _default_negative(spec) if negative_prompt is None else negative_prompt
    told = wording.settle(prompt, forbidden, style, words, guided=scales != (1.0, 1.0), models=models)
    notes += told.notes
    return ClipSpec(
        task=wanted,
        model=spec.name,
        prompt=told.prompt,
        negative_prompt=told.negative_prompt,
        preset=chosen.name,
        width=size[0],
        height=size[1],
        frames=length,
        steps=count,
        guidance=scales,
        shift=_shift(spec, chosen, shift, notes),
        seed=_seed(seed),
        dtype=_dtype(spec, chosen, dtype, notes),
        scheduler=_scheduler(scheduler or SCHEDULERS[0]),
        sigmas=levels,
        from_picture=_from_picture(spec, from_picture),
        strength=strong,
        style=style,
        feather=_feather(wanted, feather),
        notes=tuple(notes),
        levers=levers,
        profile=profile,
        after=chosen.after,
        delivered=delivered,
        extension=told.extension,
        style_strength=words.style_strength,
        conflicts=words.conflicts,
    )


def _pair(guidance: float | tuple[float, float]) -> str:
    low, high = guidance if isinstance(guidance, tuple) else (guidance, guidance)
    return f"{low:g}" if low == high else f"{low:g} at low and {high:g} at high noise"


def _refusal(attempted: str, because: str, remedy: str, code: str = "settings") -> ArtifexError:
    return ArtifexError(attempted, because, remedy, code=code)


def _task(spec: ModelSpec, task: str | None) -> str:
    if task is None:
        return spec.tasks[0]
    if task not in catalogue.TASKS:
        raise _refusal(f"do the task {task!r}", "no task has that name", f"one of {', '.join(catalogue.TASKS)}")
    if task in spec.tasks:
        return task
    able = [other.name for other in catalogue.CATALOGUE.values() if task in other.tasks and other.later is None]
    remedy = f"the model {' or '.join(able)}" if able else f"{' or '.join(spec.tasks)}, which this model does"
    raise _refusal(
        f"do {catalogue.TASKS[task]} with the model {spec.name}",
        f"it does {' and '.join(catalogue.TASKS[able_task] for able_task in spec.tasks)} only",
        remedy,
    )


def _default_negative(spec: ModelSpec) -> str:
    if spec.embedded:
        return ""
    return DEFAULT_NEGATIVE_PROMPT if spec.speech is None else SPEECH_NEGATIVE_PROMPT


def _from_picture(spec: ModelSpec, wanted: bool) -> bool:
    if wanted and spec.speech is None:
        raise _refusal(
            f"let a film go on from its picture with {spec.name}",
            "this is a choice for speech to video only",
            "leaving it out: image to video always begins with the picture",
        )
    return wanted


def _strength(task: str, strength: float | None, steps: int, notes: list[str]) -> float:
    if task not in STRENGTH:
        if strength is not None:
            raise _refusal(
                f"do {catalogue.TASKS[task]} at strength {strength:g}",
                "this task begins from noise and has no strength",
                f"no strength, or the task {' or '.join(STRENGTH)}",
            )
        return 1.0
    value = STRENGTH[task] if strength is None else float(strength)
    if not 0 < value <= 1:
        raise _refusal(
            f"begin from a clip at strength {value:g}",
            "strength is above 0 (as the clip was) to 1 (nothing of it left)",
            "0.5 to 0.8 for another look",
        )
    count = schedule.taken(steps, value)
    if count == 0:
        raise _refusal(
            f"begin from a clip at strength {value:g} in {steps} steps",
            "that is less than one step, and the clip would come back unchanged",
            f"a strength of {1 / steps:.2g} or more, or {math.ceil(1 / value)} steps or more",
        )
    if value < 1:
        notes.append(f"Strength {value:g}: the last {count} of {steps} steps are taken, from the clip with noise.")
    elif task == "style":
        notes.append("Strength 1 begins from noise alone: nothing of the source is seen in the clip.")
    return value


def _feather(task: str, feather: int | None) -> int | None:
    if feather is None:
        return None
    if task != "edit":
        raise _refusal(
            f"lay {catalogue.TASKS[task]} over its source", "only an edited clip has a mask", "the task edit"
        )
    if not 0 <= feather <= LARGEST_FEATHER:
        raise _refusal(
            f"soften the mask's edge over {feather} pixels", f"it is softened over 0 to {LARGEST_FEATHER}", "8"
        )
    return feather


def _size(
    spec: ModelSpec, chosen: Preset, width: int, height: int, source: Source | None, notes: list[str]
) -> tuple[int, int]:
    if bool(width) != bool(height):
        raise _refusal(
            f"generate a clip {width or 'of unknown'} wide and {height or 'of unknown'} high",
            "one side alone says nothing about the other",
            "both width and height, or neither to get the preset's",
        )
    if not width:
        size = spec.sizes[chosen.resolution]
        if spec.random or spec.embedded:
            notes.append(f"{spec.name} makes {chosen.resolution} presets at {_times(size)}, to be quick.")
        if source is not None and spec.speech is not None:
            return film.size_within(source.width, source.height, spec.speech.areas[chosen.resolution], spec.multiple)
        return size if source is None else sources.size_of(source, spec, size, notes)
    _check_side(spec, width, height)
    return width, height


def _delivered(spec: ModelSpec, chosen: Preset, size: tuple[int, int], notes: list[str]) -> tuple[int, int]:
    delivered = delivered_size(spec, chosen, size)
    if chosen.after:
        work = ", ".join(word.replace("color_grade", "colour grade") for word in chosen.after)
        notes.append(
            f"{chosen.name} is generated at {_times(size)} and delivered at {_times(delivered)}: {work}, "
            "enlarged by resampling, which adds no detail."
        )
    return delivered


def _check_side(spec: ModelSpec, width: int, height: int) -> None:
    step, largest = spec.multiple, spec.largest_side
    attempted = f"generate {width} x {height} pixels with {spec.name}"
    if max(width, height) > largest:
        raise _refusal(
            attempted,
            f"the model knows positions up to {largest} pixels along a side",
            f"at most {largest} x {largest}, and far less on any card",
        )
    if width % step or height % step or width < step or height < step:
        down = (max(step, width // step * step), max(step, height // step * step))
        up = (max(step, -(-width // step) * step), max(step, -(-height // step) * step))
        raise _refusal(
            attempted,
            f"width and height must be whole multiples of {step} pixels for this model",
            _times(down) if down == up else f"{_times(down)} or {_times(up)}",
        )


def _check_length(spec: ModelSpec, frames: int, notes: list[str]) -> None:
    if spec.speech is not None:
        _check_film(frames)
        return
    step, longest = spec.vae.temporal, spec.longest_clip
    attempted = f"generate {frames:,} frames with {spec.name}"
    if frames > longest:
        raise _refusal(attempted, f"the model knows positions for {longest:,} frames", f"at most {longest} frames")
    if frames < 1 or (frames - 1) % step:
        down = max(1, (frames - 1) // step * step + 1)
        values = f"{down} or {down + step}" if frames > 0 else "1"
        raise _refusal(attempted, f"a clip has {step}k + 1 frames: 1, {step + 1}, {2 * step + 1} and so on", values)
    if frames > spec.trained and not spec.random:
        notes.append(
            f"{frames} frames are more than the {spec.trained} that {spec.name} was trained on: the clip may repeat "
            "itself or drift."
        )


def _check_film(frames: int) -> None:
    if not 1 <= frames <= LONGEST_FILM:
        raise _refusal(
            f"make a film of {frames:,} frames",
            f"films are 1 to {LONGEST_FILM:,} frames long, which is ten minutes",
            "a shorter sound, or parts of it one after the other",
        )


def _steps(steps: int) -> int:
    if not 1 <= steps <= MOST_STEPS:
        raise _refusal(f"denoise in {steps} steps", f"it takes 1 to {MOST_STEPS} steps", "4 to 100 steps")
    return steps


def _levels(sigmas: tuple[float, ...], steps: int) -> tuple[float, ...]:
    levels = tuple(float(level) for level in sigmas)
    falling = all(first > second for first, second in pairwise(levels))
    if not levels or not falling or not 0 < levels[-1] <= levels[0] <= 1:
        raise _refusal(
            f"denoise at the noise levels {', '.join(f'{level:g}' for level in levels) or '(none)'}",
            "noise levels fall from at most 1 and stay above 0",
            "1, 0.75, 0.5, 0.25 for weights distilled to four steps",
        )
    if steps and steps != len(levels):
        raise _refusal(
            f"denoise in {steps} steps at {len(levels)} noise levels",
            "there is one noise level a step",
            f"{len(levels)} steps, or none given",
        )
    return levels


def _guidance(
    spec: ModelSpec, chosen: Preset, guidance: float | tuple[float, float] | None, notes: list[str]
) -> tuple[float, float]:
    low, high = guidance if isinstance(guidance, tuple) else (guidance, guidance)
    if low is None or high is None:
        low, high = chosen.guidance
        if spec.guidance is not None and chosen.guidance != (spec.guidance, spec.guidance):
            notes.append(
                f"Guidance {spec.guidance:g} is used, which {spec.family} was made for; {chosen.name} says {high:g}."
            )
            low = high = spec.guidance
        if spec.experts == 1 and low != high:
            notes.append(
                f"{spec.name} is one network: guidance {high:g}, the preset's for high noise, is used for all steps."
            )
            low = high
    if spec.experts == 1 and low != high:
        raise _refusal(
            f"guide {spec.name} by {low:g} at low and {high:g} at high noise",
            "this model is one network for all noise levels",
            f"one guidance for both, such as {high:g}",
        )
    if not (1 <= low <= 100 and 1 <= high <= 100):
        raise _refusal(
            f"guide by {low:g} at low and {high:g} at high noise",
            "guidance is from 1 (none, and twice as fast) to 100",
            "values from 2.5 to 5",
        )
    return float(low), float(high)


def _shift(spec: ModelSpec, chosen: Preset, shift: float | None, notes: list[str]) -> float:
    if shift is None:
        if chosen.shift != spec.shift:
            notes.append(
                f"Shift {spec.shift:g} is used, which {spec.family} was made for; {chosen.name} says {chosen.shift:g}."
            )
        return spec.shift
    if not 0.1 <= shift <= 100:
        raise _refusal(f"shift the noise schedule by {shift:g}", "shift is from 0.1 to 100", f"{spec.shift:g}")
    return float(shift)


def _seed(seed: int) -> int:
    if not 0 <= seed <= LARGEST_SEED:
        raise _refusal(
            f"use the seed {seed}", f"seeds are whole numbers from 0 to {LARGEST_SEED}", f"{abs(seed) % 2**31}"
        )
    return seed


def _dtype(spec: ModelSpec, chosen: Preset, dtype: str | None, notes: list[str]) -> str:
    if dtype is not None:
        if dtype not in DTYPES:
            raise _refusal(
                f"compute in {dtype!r}", "no number format of that name is known", f"one of {', '.join(DTYPES)}"
            )
        return dtype
    if spec.dtype is not None and spec.dtype != chosen.dtype:
        notes.append(f"{spec.name} computes in {spec.dtype}, and {chosen.name} says {chosen.dtype}.")
        return spec.dtype
    return chosen.dtype


def _scheduler(scheduler: str) -> str:
    if scheduler in SCHEDULERS:
        return scheduler
    near = difflib.get_close_matches(scheduler.lower(), SCHEDULERS, n=1)
    raise _refusal(
        f"denoise with the scheduler {scheduler!r}",
        "no scheduler has that name",
        near[0] if near else f"one of {', '.join(SCHEDULERS)}",
    )


def _times(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"

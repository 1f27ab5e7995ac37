"""What the options of several commands are called, what they take and what their help says."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Task(StrEnum):
    """What a clip is made from."""

    T2V = "t2v"
    I2V = "i2v"
    TI2V = "ti2v"
    S2V = "s2v"
    STYLE = "style"
    EDIT = "edit"


class Preset(StrEnum):
    """Size, length, steps and guidance in one word."""

    DRAFT = "Draft"
    PREVIEW = "Preview"
    PRODUCTION = "Production"
    CINEMA = "Cinema"


class Profile(StrEnum):
    """What a clip is made to spare."""

    SPEED = "Speed"
    MEMORY = "Memory"
    QUALITY = "Quality"


class Extend(StrEnum):
    """What writes more of a prompt."""

    NONE = "none"
    RULES = "rules"
    QWEN = "qwen"


class Conflicts(StrEnum):
    """What becomes of terms of the negative prompt that forbid what the prompt asks for."""

    TELL = "tell"
    RESOLVE = "resolve"


class Language(StrEnum):
    """What an extension is written in."""

    SAME = "same"
    ENGLISH = "English"


class Program(StrEnum):
    """Programs with an adapter."""

    BLENDER = "blender"
    NUKE = "nuke"
    RESOLVE = "resolve"


class Bench(StrEnum):
    """Groups of figures."""

    ENGINE = "engine"
    PIXELS = "pixels"
    TRANSPORT = "transport"
    WAN22 = "wan22"


class Format(StrEnum):
    """Number formats of converted weights."""

    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    INT8 = "int8"
    FP8 = "fp8"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help='As "artifexpro models list" names it.')]
JobName = Annotated[str, typer.Argument(metavar="JOB", help='As "artifexpro jobs list" names it.')]
TaskName = Annotated[Task | None, typer.Option(case_sensitive=False, help="By default the model's first.")]
PresetName = Annotated[Preset, typer.Option(case_sensitive=False, help="Size, length, steps and guidance.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Denoising steps; by default the preset's.")]
Size = Annotated[str | None, typer.Option(metavar="WxH", help="Width and height in pixels.")]
ProfileName = Annotated[
    Profile | None, typer.Option(case_sensitive=False, help="Speed, Memory or Quality; by default only what fits.")
]
Shift = Annotated[
    float | None, typer.Option(help="Shift of the noise schedule; by default what the model was made for.")
]
Negative = Annotated[str | None, typer.Option(metavar="PROMPT", help="What should not be seen.")]
Avoid = Annotated[str | None, typer.Option(metavar="WORDS", help="What else should not be seen.")]
ExtendBy = Annotated[Extend, typer.Option(help="What writes more of the prompt; told and kept beside it.")]
ExtendModel = Annotated[
    str | None, typer.Option(metavar="NAME or DIR", help="The language model for qwen, among the models or a folder.")
]
ExtendSeed = Annotated[int | None, typer.Option(min=0, help="Another one extends in other words.")]
ExtendLanguage = Annotated[
    Language | None, typer.Option(case_sensitive=False, help="What an extension is written in; by default the same.")
]
OnConflicts = Annotated[
    Conflicts | None, typer.Option(help="resolve takes out of the negative prompt what forbids what is asked for.")
]
StyleName = Annotated[str | None, typer.Option(metavar="NAME", help="A look: anime, watercolour, film noir, ...")]
StyleStrength = Annotated[
    float | None, typer.Option(metavar="0..1", min=0, max=1, help="How much of the look; by default all of it.")
]
Frames = Annotated[int | None, typer.Option(min=1, help="Length in frames.")]
Into = Annotated[Path | None, typer.Option(metavar="DIR", help="The program's user folder; by default each found.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]

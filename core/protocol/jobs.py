"""Jobs: one serialisable request holds everything a job needs, and what comes back from it."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from artifexpro.core.protocol.base import Message
from artifexpro.core.protocol.messages import Failure


class Rate(Message):
    """A rational frame rate: 24000/1001 is exact, 23.976 is not."""

    num: int = Field(gt=0)
    den: int = Field(gt=0, default=1)

    def fraction(self) -> Fraction:
        return Fraction(self.num, self.den)


class FrameRange(Message):
    """Frames from `first` to `last`, both included."""

    first: int
    last: int

    @model_validator(mode="after")
    def _ordered(self) -> FrameRange:
        if self.last < self.first:
            raise ValueError(f"the last frame ({self.last}) comes before the first ({self.first})")
        return self


class InputFile(Message):
    """A file the job reads: by path on this machine, with its hash where the client knows it."""

    path: str
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class ColorContract(Message):
    """How pixels were meant: OpenColorIO config, space of the pictures read, space of the pictures written.

    `transform` is a colour space conversion; an inverse view transform needs a `ceiling` (largest scene-linear value).
    """

    config: str = "ocio://cg-config-v4.0.0_aces-v2.0_ocio-v2.5"
    space_in: str = "srgb_tx"
    space_out: str = "ACEScg"
    transform: Literal["colorspace"] = "colorspace"
    ceiling: float = Field(default=1.0, gt=0)


class Target(Message):
    """Where in the host the result goes, frozen when the job is submitted.

    `document` names the scene, script or timeline; `frame` is the record frame and `channel` the track, as the
    host counts them; `handles` frames at each end of the result are outside the cut.
    """

    host: str
    document: str = ""
    channel: int | None = None
    frame: int | None = None
    handles: int = Field(default=0, ge=0)
    extra: dict[str, Any] = {}


class ClientInfo(Message):
    """Who asks: shown in job lists and kept in recipes."""

    name: str = "unknown"
    version: str = ""
    host: str = ""


class EachClip(Message):
    """Run the graph once for every clip of a timeline's track.

    `timeline` is the whole path of an .otio file, `node` the MediaInput or SequenceInput of the graph that is pointed
    at each clip's media, `track` a video track by name (default: the lowest). Every clip gets `handles` frames at each
    end, or as many as its media has.
    """

    timeline: str
    node: str
    track: str | None = None
    handles: int = Field(default=0, ge=0, le=100_000)


class RenderGraph(Message):
    """Run a node graph's sinks. `document` is a graph document (see `core.graph.document`).

    `frames` limits what sinks write (default: all their stream has), widened by `target.handles`.
    `scale` renders everything smaller: 0.25 is the preview scale. With `each`, the graph runs on one clip of a timeline
    after the other, and what it makes of each goes to a folder of its own; `frames` are then the clips' own.
    """

    kind: Literal["graph"] = "graph"
    document: dict[str, Any]
    frames: FrameRange | None = None
    scale: float = Field(default=1.0, gt=0, le=1)
    each: EachClip | None = None


class FetchModel(Message):
    """Download a model's weights; `repository` replaces the catalogue's (a user's own), `mirror` is the address of
    another hub that has it, and `bundle` a folder that `models.bundle` made: then nothing is downloaded."""

    kind: Literal["models.get"] = "models.get"
    model: str
    repository: str | None = None
    revision: str | None = None
    mirror: str | None = None
    bundle: str | None = None


class BundleModels(Message):
    """Copy models to the folder `path`, for machines without a network; none named is all that are here."""

    kind: Literal["models.bundle"] = "models.bundle"
    path: str
    models: tuple[str, ...] = ()


class EvictModels(Message):
    """Remove the copies and models that were not used for longest, until all take at most `budget_gb`."""

    kind: Literal["models.evict"] = "models.evict"
    budget_gb: float = Field(ge=0)


class KeepModel(Message):
    """Say that a model is never removed by `models.evict`, or may be again."""

    kind: Literal["models.keep"] = "models.keep"
    model: str
    keep: bool = True


class VerifyModel(Message):
    """Hash a model's files and compare them with what was downloaded."""

    kind: Literal["models.verify"] = "models.verify"
    model: str


class ConvertModel(Message):
    """Write a model's weights once more in another number format, so that they load fast."""

    kind: Literal["models.convert"] = "models.convert"
    model: str
    dtype: Literal["bfloat16", "float16", "int8", "fp8"] = "bfloat16"


class ExtendPrompt(Message):
    """Look at a prompt, and extend it where `extend` says so, without making a clip.

    The fields are those of the generators' parameters. `negative_prompt` None is the reference's. `image` is the whole
    path of the picture that a clip of this `task` would begin with. The answer is the result's recipe, under "prompt".
    """

    kind: Literal["prompt"] = "prompt"
    prompt: str
    task: Literal["t2v", "i2v", "ti2v", "s2v", "style", "edit"] = "t2v"
    extend: Literal["none", "rules", "qwen"] = "rules"
    extend_model: str = ""
    extend_seed: int = Field(default=0, ge=0, le=2**63 - 1)
    extend_language: Literal["same", "English"] = "same"
    style_preset: str = "none"
    style_strength: float = Field(default=1.0, ge=0, le=1)
    negative_prompt: str | None = None
    avoid: str = ""
    conflicts: Literal["tell", "resolve"] = "tell"
    image: str | None = None


Work = Annotated[
    RenderGraph | FetchModel | VerifyModel | ConvertModel | BundleModels | EvictModels | KeepModel | ExtendPrompt,
    Field(discriminator="kind"),
]


class JobRequest(Message):
    """Everything a job needs. `key` is made by the client: the same key twice is the same job."""

    key: str = Field(min_length=8, max_length=128)
    title: str = Field(default="", max_length=500)
    work: Work
    inputs: tuple[InputFile, ...] = ()
    color: ColorContract = ColorContract()
    target: Target | None = None
    client: ClientInfo = ClientInfo()
    priority: int = Field(default=0, ge=-100, le=100)
    output: str | None = None
    """Folder that relative paths of the graph's sinks start from; None is the job's own folder in the daemon's home."""
    fresh: bool = False
    """Make everything again even where an equal result is kept (used by reproduce)."""


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TimelineClip(Message):
    """A clip where it lies: frames `first` to `last`, both included, of a track, in the timeline's own numbers."""

    name: str
    track: str
    first: int
    last: int


class Artefact(Message):
    """One file or frame sequence that a job made. A sequence has `frames` and a printf pattern in `path`; `clip` is the
    clip of a timeline that it was made from, where a graph ran on each."""

    path: str
    role: Literal["clip", "frames", "still", "timeline", "latents", "recipe", "model", "report"]
    node: str | None = None
    frames: FrameRange | None = None
    rate: Rate | None = None
    width: int | None = None
    height: int | None = None
    space: str | None = None
    sha256: str | None = None
    clip: TimelineClip | None = None


class StageTime(Message):
    """Seconds of one stage (load, text, denoise, decode, write ...) of one node."""

    name: str
    node: str | None = None
    seconds: float = Field(ge=0)


class Reproduction(Message):
    """How a job made again compares with the first: `equal` None where the files cannot be compared.

    `differs` says what is not equal, and what may be why, a sentence each.
    """

    of: str
    equal: bool | None
    differs: tuple[str, ...] = ()


class JobResult(Message):
    """What a finished job hands over. `notes` are sentences the artist must see ("this is noise: ...")."""

    artefacts: tuple[Artefact, ...] = ()
    stages: tuple[StageTime, ...] = ()
    recipe: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    reproduction: Reproduction | None = None
    """Only for a job made by `job.reproduce`."""


class Estimate(Message):
    """What a job will cost, as far as it is known; None where nothing honest can be said. `basis` says from what."""

    seconds: float | None = None
    disk_bytes: int | None = None
    vram_bytes: int | None = None
    basis: str = ""


class Accepted(Message):
    """The answer to a submit: from here on the job is in the queue's file and cannot be lost."""

    job: str
    state: JobState
    duplicate: bool = False
    estimate: Estimate = Estimate()


class JobView(Message):
    """A job as lists and `job.show` give it. Times are seconds since 1970, UTC."""

    job: str
    key: str
    title: str
    kind: str
    state: JobState
    attempt: int
    priority: int
    created: float
    started: float | None = None
    finished: float | None = None
    progress: float | None = None
    stage: str | None = None
    target: Target | None = None
    client: ClientInfo = ClientInfo()
    result: JobResult | None = None
    error: Failure | None = None
    request: JobRequest | None = None
    """Only in `job.show`."""

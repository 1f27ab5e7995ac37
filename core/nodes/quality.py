"""How good a clip is, in figures, and a gate that a job can ask for.

`ClipQuality` measures, once a clip; `QualityGate` writes the figures to a file and, where limits are stated, lets a
clip pass or not. What was generated stays in the store and what other outputs write stays written, whatever the gate
says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.kinds import AnalysisNode, SinkNode
from artifexpro.core.graph.node import Preflight, Socket, parameter
from artifexpro.core.graph.values import DataPayload, SocketType, VideoStream
from artifexpro.core.media.files import write_text
from artifexpro.core.media.metrics import networks, scores
from artifexpro.core.media.metrics.clip import measure
from artifexpro.core.media.metrics.gate import Limit, missed
from artifexpro.core.media.metrics.scores import Found, Report, told
from artifexpro.core.nodes import material
from artifexpro.core.nodes.analysis import check_has_end
from artifexpro.core.protocol import Artefact
from artifexpro.core.wan22.picture import check_picture, fitted
from artifexpro.core.wan22.quiet import quiet

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUALITY = "quality"
"""Kind of data: {"first": 1001, "frames": 81, "scores": {name: {"value": 0.99, "worst": 1012}}, "missing": {name:
why}}. Names are those of `core.media.metrics.scores`; "worst" is null where no single frame is."""


class ClipQuality(AnalysisNode):
    """Scores of a clip as it looks in sRGB: smoothness, jerks, flicker, drift, frozen frames, sharpness, noise; with a
    picture connected, how near the first frame is to it.

    Definitions are VBench's where they can be computed here; a score that something else stands in for says so in its
    name. The picture is fitted to the clip as the generators fit it. The result is data of kind "quality", for a
    QualityGate. There is no aesthetic score.
    """

    category: ClassVar[str] = "analysis"
    inputs: ClassVar[tuple[Socket, ...]] = (
        Socket("video", SocketType.VIDEO),
        Socket("image", SocketType.IMAGE, optional=True),
    )
    example: ClassVar[Mapping[str, Any]] = {"networks": False}

    networks: bool = parameter(
        True, "Whether VBench's networks DINO and CLIP are used where they are on disk; nothing is fetched."
    )

    def fingerprint(self, context: Preflight) -> str:
        """Which networks there are."""
        if not self.networks:
            return ""
        return "\0".join(network.identity(context.models) for network in networks.NETWORKS)

    def analyse(self, context: JobContext, video: VideoStream, image: VideoStream | None = None) -> DataPayload:
        info = video.info
        check_has_end(info, "measure a clip")
        given = None if image is None else _fitted(image, info.size_at(video.scale))
        with ExitStack() as stack:
            if self.networks and any(network.is_there(context.models) for network in networks.NETWORKS):
                stack.enter_context(quiet())
                features = networks.load(context.models)
            else:
                features = {}
            report = measure(_frames(context, video), info.rate, first=info.first, given=given, features=features)
        return DataPayload(QUALITY, _content(report, info.first))


def _frames(context: JobContext, video: VideoStream) -> Iterator[NDArray[Any]]:
    count = 1 if video.info.still else len(video.info)
    for done, (_, picture) in enumerate(video.frames(video.info.first, video.info.first + count - 1), 1):
        context.check()
        yield material.shown(picture).cpu().numpy()
        context.progress("analysis", done, count)


def _fitted(image: VideoStream, size: tuple[int, int]) -> NDArray[Any]:
    picture = material.shown(image.frame(image.info.first)).cpu()
    check_picture(picture, "compare the first frame with a picture")
    planes = fitted(picture, *size)[0]
    rows: NDArray[Any] = planes.permute(1, 2, 0).contiguous().numpy()
    return rows


def _content(report: Report, first: int) -> dict[str, Any]:
    found = {name: {"value": each.value, "worst": each.worst} for name, each in report.scores.items()}
    return {"first": first, "frames": report.frames, "scores": found, "missing": dict(report.missing)}


_LIMITS: Mapping[str, str] = {
    "least_steadiness": scores.TEMPORAL_FLICKERING,
    "least_smoothness": scores.MOTION_SMOOTHNESS,
    "most_jerk": scores.MOTION_JERK,
    "most_warp_error": scores.WARP_ERROR,
    "most_flicker": scores.BRIGHTNESS_FLICKER,
    "most_drift": scores.COLOUR_DRIFT,
    "most_frozen": scores.FROZEN_FRAMES,
    "least_motion": scores.DYNAMIC_DEGREE,
    "least_consistency": scores.CONSISTENCY,
    "least_subject_consistency": scores.SUBJECT_CONSISTENCY,
    "least_background_consistency": scores.BACKGROUND_CONSISTENCY,
    "least_first_frame_psnr": scores.FIRST_FRAME_PSNR,
    "least_first_frame_ssim": scores.FIRST_FRAME_SSIM,
    "least_sharpness": scores.SHARPNESS,
    "least_contrast": scores.CONTRAST,
    "most_noise": scores.NOISE,
    "most_overexposed": scores.OVEREXPOSED,
}
"""The score that each limit is for."""


def _limit(score: str, maximum: float) -> Any:
    about = scores.SCORES[score]
    least = "Most" if about.better == "lower" else "Least"
    return parameter(None, f"{least} {score}; empty asks for none.", minimum=0, maximum=maximum, unit=about.unit)


class QualityGate(SinkNode):
    """Writes what a ClipQuality found to a JSON file, tells it, and holds it against the limits that are stated.

    Where one is missed the job fails with the figures and the worst frames ("refuse"), or goes on and tells them
    ("tell"). Nothing made is lost either way: other outputs of the graph are written and generated clips are kept. A
    limit on a score that could not be measured is missed.
    """

    category: ClassVar[str] = "output"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("quality", SocketType.DATA),)
    example: ClassVar[Mapping[str, Any]] = {"least_smoothness": 0.98, "most_flicker": 0.3, "when_missed": "tell"}

    path: str = parameter(
        "quality.json", "Where the figures go, inside the job's output folder or as a whole path.", unit="path"
    )
    when_missed: Literal["refuse", "tell"] = parameter("refuse", "What happens where a limit is missed.")
    least_steadiness: float | None = _limit(scores.TEMPORAL_FLICKERING, 1)
    least_smoothness: float | None = _limit(scores.MOTION_SMOOTHNESS, 1)
    most_jerk: float | None = _limit(scores.MOTION_JERK, 100)
    most_warp_error: float | None = _limit(scores.WARP_ERROR, 1)
    most_flicker: float | None = _limit(scores.BRIGHTNESS_FLICKER, 100)
    most_drift: float | None = _limit(scores.COLOUR_DRIFT, 400)
    most_frozen: float | None = _limit(scores.FROZEN_FRAMES, 1)
    least_motion: float | None = _limit(scores.DYNAMIC_DEGREE, 1)
    least_consistency: float | None = _limit(scores.CONSISTENCY, 1)
    least_subject_consistency: float | None = _limit(scores.SUBJECT_CONSISTENCY, 1)
    least_background_consistency: float | None = _limit(scores.BACKGROUND_CONSISTENCY, 1)
    least_first_frame_psnr: float | None = _limit(scores.FIRST_FRAME_PSNR, 100)
    least_first_frame_ssim: float | None = _limit(scores.FIRST_FRAME_SSIM, 1)
    least_sharpness: float | None = _limit(scores.SHARPNESS, 2000)
    least_contrast: float | None = _limit(scores.CONTRAST, 255)
    most_noise: float | None = _limit(scores.NOISE, 255)
    most_overexposed: float | None = _limit(scores.OVEREXPOSED, 1)

    def preflight(self, context: Preflight) -> None:
        if not self.path.endswith(".json"):
            raise ArtifexError(
                f'write the figures to "{self.path}"', "they are written as JSON", "a name that ends in .json"
            )
        asked = {limit.score for limit in self._limits()}
        for network in networks.NETWORKS:
            if network.score in asked and not network.is_there(context.models):
                raise ArtifexError(
                    f"hold a clip against a limit of {network.score}",
                    network.missing(),
                    f"putting it there, or a limit of {scores.CONSISTENCY}",
                )

    def write(self, context: JobContext, quality: DataPayload) -> tuple[Artefact, ...]:
        if quality.kind != QUALITY:
            raise ArtifexError(
                "hold a clip against limits", f'the data is of kind "{quality.kind}"', "the data of a ClipQuality"
            )
        found = {name: Found(**each) for name, each in quality.content["scores"].items()}
        because = missed(self._limits(), found, quality.content["missing"])
        path = context.output / self.path
        limits = {name: getattr(self, name) for name in _LIMITS if getattr(self, name) is not None}
        said = {**quality.content, "limits": limits, "missed": list(because)}
        write_text(path, json.dumps(said, indent=1, ensure_ascii=False) + "\n")
        context.note(f"Quality: {told((name, each.value) for name, each in found.items())}.")
        if because and self.when_missed == "refuse":
            raise ArtifexError(
                "let the clip pass",
                "; ".join(because),
                f"another seed, more steps or other limits: the clip is kept, its figures are in {path}",
                code="quality",
            )
        for clause in because:
            context.note(f"A limit is missed: {clause}.")
        return (Artefact(path=str(path), role="report"),)

    def _limits(self) -> Iterator[Limit]:
        for name, score in _LIMITS.items():
            value = getattr(self, name)
            if value is not None:
                yield Limit(score, value, name.startswith("least_"))

"""Analyses of whole clips, made once and kept, and what is done with them."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.kinds import AnalysisNode, FrameNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import DataPayload, FrameRequest, ImageBuffer, SocketType, StreamInfo, VideoStream
from artifexpro.core.lazy import numpy, scenedetect
from artifexpro.core.media import color
from artifexpro.core.media.pixels import rows
from artifexpro.core.nodes.mattes import check_space, luminance

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SCENE_WIDTH = 256
LUMINANCE = "luminance"
"""Kind of data: {"first": 1001, "mean": [...], "minimum": [...], "maximum": [...], "clip": {"mean": ..., ...}}, the
lists having one number a frame."""


class ColorAnalyzer(AnalysisNode):
    """How bright each frame of a clip is and how bright the clip is: mean, least and greatest luminance.

    Luminance is scene-linear, that of ACEScg, a transparent pixel counting as black. The clip's mean is that of its
    frames'. The result is data of kind "luminance" with a list a frame for each, which DataControl makes a control.
    """

    category: ClassVar[str] = "analysis"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    example: ClassVar[Mapping[str, Any]] = {"scale": 0.5}

    scale: float = parameter(
        0.25,
        "Size at which frames are looked at: at 0.25, sixteen pixels' mean counts as one, sixteen times as fast.",
        minimum=0.01,
        maximum=1,
    )

    def analyse(self, context: JobContext, video: VideoStream) -> DataPayload:
        info = video.info
        check_space(info, "measure the luminance of a clip")
        check_has_end(info, "measure the luminance of a clip")
        lists: dict[str, list[float]] = {"mean": [], "minimum": [], "maximum": []}
        for done, (frame, picture) in enumerate(self._frames(video), 1):
            context.check()
            found = _measured(picture, frame)
            for name, values in lists.items():
                values.append(found[name])
            context.progress("analysis", done, len(info))
        means = lists["mean"]
        clip = {
            "mean": sum(means) / len(means),
            "minimum": min(lists["minimum"]),
            "maximum": max(lists["maximum"]),
        }
        return DataPayload(LUMINANCE, {"first": info.first, **lists, "clip": clip})

    def _frames(self, video: VideoStream) -> Any:
        return VideoStream(video.info, video.pull, video.scale * self.scale, video.ahead).frames()


def _measured(picture: ImageBuffer, frame: int) -> dict[str, float]:
    light = luminance(picture.pixels.float())
    least, greatest = light.aminmax()
    found = {"mean": float(light.double().mean()), "minimum": float(least), "maximum": float(greatest)}
    if not all(isfinite(value) for value in found.values()):
        raise ArtifexError(
            f"measure the luminance of frame {frame}", "it has pixels that are no numbers", "a Repair node before it"
        )
    return found


class SceneDetector(AnalysisNode):
    """Where one shot of an edited clip ends and the next begins.

    PySceneDetect's content detector: a cut is where hue, saturation and brightness of a frame, as it looks in sRGB at
    256 pixels of width, differ on average by `threshold` or more from those of the frame before. The result is data of
    kind "scenes" with the first frame of each new scene in "cuts" and first and last frame of each in "scenes".
    """

    category: ClassVar[str] = "analysis"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    example: ClassVar[Mapping[str, Any]] = {"threshold": 30.0, "shortest": 12}

    threshold: float = parameter(27.0, "Least difference that is a cut, of 255.", minimum=0, maximum=255)
    shortest: int = parameter(
        15, "Shortest scene: cuts that follow sooner are taken as one.", minimum=1, maximum=100_000, unit="frames"
    )

    def analyse(self, context: JobContext, video: VideoStream) -> DataPayload:
        info = video.info
        check_has_end(info, "find the cuts of a clip")
        detector = scenedetect.detectors.ContentDetector(self.threshold, self.shortest)
        cuts: list[int] = []
        scale = min(1.0, _SCENE_WIDTH / info.width)
        for done, (frame, picture) in enumerate(VideoStream(info, video.pull, scale, video.ahead).frames(), 1):
            context.check()
            found = detector.process_frame(
                scenedetect.FrameTimecode(frame - info.first, float(info.rate)), _as_seen(picture, info.space, frame)
            )
            cuts.extend(info.first + int(cut.frame_num) for cut in found)
            context.progress("analysis", done, len(info))
        starts = [info.first, *cuts]
        ends = [*(cut - 1 for cut in cuts), info.last]
        return DataPayload(
            "scenes", {"cuts": cuts, "scenes": [list(scene) for scene in zip(starts, ends, strict=True)]}
        )


def _as_seen(picture: ImageBuffer, space: str, frame: int) -> NDArray[Any]:
    """(H, W, 3) blue, green, red, 8 bit sRGB."""
    shown = rows(color.transform(picture.pixels.float(), space, color.DISPLAY))[..., 2::-1]
    if not numpy.isfinite(shown).all():
        raise ArtifexError(f"look at frame {frame}", "it has pixels that are no numbers", "a Repair node before it")
    return numpy.ascontiguousarray(numpy.rint(shown.clip(0, 1) * 255).astype(numpy.uint8))


def check_has_end(info: StreamInfo, attempted: str) -> None:
    """Refuse what has no range of its own. Raises `ArtifexError`."""
    if info.endless:
        raise ArtifexError(attempted, "a still that something moves has no end", "a clip of its own range")


class Deflicker(FrameNode):
    """Takes uneven exposure out of a clip: each frame is multiplied so that its mean luminance is that of its
    surroundings.

    Wants the data that ColorAnalyzer finds in the same clip. A black frame stays black.
    """

    category: ClassVar[str] = "color"
    depends_on_time: ClassVar[bool] = True
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO), Socket("data", SocketType.DATA))
    example: ClassVar[Mapping[str, Any]] = {"strength": 0.9, "window": 12}

    strength: float = parameter(
        1.0, "How much of the difference is taken out: 1 all, 0 nothing.", minimum=0, maximum=1, animatable=True
    )
    window: int = parameter(
        0,
        "How many frames before and after make the brightness to keep, so that slow changes stay; 0 is the whole clip.",
        minimum=0,
        maximum=100_000,
        unit="frames",
    )

    def identity(self) -> str | None:
        return "video" if self.strength == 0 else None

    def render(self, request: FrameRequest, video: ImageBuffer, data: DataPayload) -> ImageBuffer:
        factor = self._factor(request.frame, data)
        pixels = video.pixels.clone()
        pixels[:, :3] *= factor
        return video.with_pixels(pixels)

    def _factor(self, frame: int, data: DataPayload) -> float:
        if data.kind != LUMINANCE:
            raise ArtifexError(
                "even out a clip's exposure", f'the data is of kind "{data.kind}"', "the data of a ColorAnalyzer"
            )
        first, means = data.content["first"], data.content["mean"]
        at = frame - first
        if not 0 <= at < len(means):
            raise ArtifexError(
                f"even out the exposure of frame {frame}",
                f"frames {first} to {first + len(means) - 1} were analysed",
                "a ColorAnalyzer on this very clip",
                code="range",
            )
        around = (
            means[max(0, at - self.window) : at + self.window + 1] if self.window else [data.content["clip"]["mean"]]
        )
        wanted = sum(around) / len(around)
        if wanted <= 0 or means[at] <= 0:
            return 1.0
        return float((wanted / means[at]) ** self.strength)

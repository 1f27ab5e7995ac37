"""A clip measured in one pass: three frames in memory, whatever its length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.metrics import networks, scores
from artifexpro.core.media.metrics.colour import ColourInTime
from artifexpro.core.media.metrics.consistency import Consistency, Feature, structure_and_colour
from artifexpro.core.media.metrics.flow import LEAST_SIDE, Flow, Pair
from artifexpro.core.media.metrics.looked import Looked, looked
from artifexpro.core.media.metrics.motion import Differences, Movement, Smoothness
from artifexpro.core.media.metrics.pictures import Imaging, first_frame
from artifexpro.core.media.metrics.scores import Found, Report

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NONE: Mapping[str, Feature] = MappingProxyType({})


def measure(
    frames: Iterable[NDArray[Any]],
    rate: float | Fraction,
    *,
    first: int = 1,
    given: NDArray[Any] | None = None,
    features: Mapping[str, Feature] = _NONE,
) -> Report:
    """All scores of a clip.

    `frames` are (H, W, 3) in display-referred sRGB, 0..1, each asked for once and numbered from `first` on; `rate` is
    in frames a second. `given` is the picture that the clip was to begin with, of the frames' size. `features` are
    those of `networks.load`.

    Raises `ArtifexError` (code "image") for a clip without frames, or a frame or picture that cannot be measured.
    """
    clip = _Clip(float(rate), features)
    beginning: Mapping[str, Found | str] = {}
    for number, picture in enumerate(frames, first):
        frame = looked(picture, number, clip.size)
        if clip.size is None:
            beginning = first_frame(frame, None if given is None else _given(given, frame))
        clip.add(frame)
    if not clip.frames:
        raise ArtifexError("measure the clip", "it has no frames", "a clip of at least one", code="image")
    return clip.report(beginning)


class _OfFrames(Protocol):
    def add(self, frame: Looked) -> None: ...

    def found(self) -> Mapping[str, Found | str]: ...


class _OfPairs(Protocol):
    def add(self, pair: Pair) -> None: ...

    def found(self) -> Mapping[str, Found | str]: ...


class _Clip:
    """The measures, fed frame by frame."""

    def __init__(self, rate: float, features: Mapping[str, Feature]) -> None:
        self.frames = 0
        self.size: tuple[int, int] | None = None
        self._flow = Flow()
        self._before: Looked | None = None
        consistent = [Consistency(scores.CONSISTENCY, structure_and_colour)]
        consistent += [Consistency(name, feature) for name, feature in features.items()]
        self._of_frames: tuple[_OfFrames, ...] = (Smoothness(self._flow), Imaging(), *consistent)
        self._of_pairs: tuple[_OfPairs, ...] = (Differences(), Movement(rate), ColourInTime())

    def add(self, frame: Looked) -> None:
        self.frames += 1
        self.size = frame.rgb.shape[0], frame.rgb.shape[1]
        for measure in self._of_frames:
            measure.add(frame)
        if self._before is not None:
            flows = min(frame.small.shape[:2]) >= LEAST_SIDE
            flow = self._flow.between(frame, self._before) if flows else None
            pair = Pair(self._before, frame, flow)
            for each in self._of_pairs:
                each.add(pair)
        self._before = frame

    def report(self, beginning: Mapping[str, Found | str]) -> Report:
        found: dict[str, Found | str] = dict(beginning)
        for measure in self._of_frames:
            found.update(measure.found())
        for each in self._of_pairs:
            found.update(each.found())
        for network in networks.NETWORKS:
            found.setdefault(network.score, network.missing())
        ordered = {name: found[name] for name in scores.SCORES}
        return Report(
            self.frames,
            {name: value for name, value in ordered.items() if isinstance(value, Found)},
            {**{name: value for name, value in ordered.items() if isinstance(value, str)}, **scores.NEVER},
        )


def _given(picture: NDArray[Any], frame: Looked) -> Looked:
    height, width = frame.rgb.shape[:2]
    try:
        return looked(picture, frame.number, (height, width))
    except ArtifexError as error:
        attempted = "compare the first frame with the given picture"
        raise ArtifexError(attempted, error.because, "a picture of the clip's size", code="image") from None

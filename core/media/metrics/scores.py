"""The scores there are: what each says, in which unit, which way is better, and what a report of them holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

ONE_FRAME = "a clip of one frame has no movement"
TWO_FRAMES = "it takes three frames"


@dataclass(frozen=True, slots=True)
class Score:
    """One score. `better` None is for what is neither good nor bad."""

    name: str
    better: Literal["higher", "lower"] | None
    unit: str
    says: str
    source: str


TEMPORAL_FLICKERING = "temporal_flickering"
MOTION_SMOOTHNESS = "motion_smoothness (flow proxy)"
DYNAMIC_DEGREE = "dynamic_degree (flow proxy)"
SUBJECT_CONSISTENCY = "subject_consistency"
BACKGROUND_CONSISTENCY = "background_consistency"
CONSISTENCY = "consistency (structure and colour proxy)"
WARP_ERROR = "warp_error (flow proxy)"
MOTION_JERK = "motion_jerk (flow proxy)"
BRIGHTNESS_FLICKER = "brightness_flicker"
COLOUR_DRIFT = "colour_drift"
FROZEN_FRAMES = "frozen_frames"
FIRST_FRAME_PSNR = "first_frame_psnr"
FIRST_FRAME_SSIM = "first_frame_ssim"
SHARPNESS = "sharpness (Laplacian)"
CONTRAST = "contrast (luma deviation)"
NOISE = "noise (Immerkaer)"
OVEREXPOSED = "overexposed"

_VBENCH = "VBench"
SCORES: Mapping[str, Score] = {
    score.name: score
    for score in (
        Score(
            TEMPORAL_FLICKERING, "higher", "0..1", "1 - mean absolute difference of neighbouring frames; for shots "
            "without movement, as movement counts as well", f"{_VBENCH}'s formula, whole",
        ),
        Score(
            MOTION_SMOOTHNESS, "higher", "0..1", "1 - mean absolute error of every second frame, made anew from its "
            "neighbours", f"{_VBENCH}'s formula, with DIS flow in place of AMT-S",
        ),
        Score(
            DYNAMIC_DEGREE, None, "share of frames", "how often the fastest 5 % of the picture move further than 6 of "
            "256 pixels in an eighth of a second; from 0.25 on VBench calls a clip dynamic",
            f"{_VBENCH}'s rule, with DIS flow in place of RAFT",
        ),
        Score(
            SUBJECT_CONSISTENCY, "higher", "0..1", "cosine of each frame to the one before and to the first",
            f"{_VBENCH}'s formula and network, DINO ViT-B/16, where it is on disk",
        ),
        Score(
            BACKGROUND_CONSISTENCY, "higher", "0..1", "cosine of each frame to the one before and to the first",
            f"{_VBENCH}'s formula and network, CLIP ViT-B/32, where it is on disk",
        ),
        Score(
            CONSISTENCY, "higher", "0..1", "cosine of each frame to the one before and to the first; a camera that "
            "moves on lowers it too",
            f"{_VBENCH}'s formula, with 16 x 16 luma and a colour histogram in place of DINO and CLIP",
        ),
        Score(
            WARP_ERROR, "lower", "0..1", "mean absolute difference of each frame to the one before it, moved along",
            "Lai et al., Learning Blind Video Temporal Consistency, 2018, with DIS flow and no mask but the edges",
        ),
        Score(
            MOTION_JERK, "lower", "% of the shorter side", "how much the speed of what has structure changes from "
            "frame to frame", "own: difference of DIS flow along the movement, weighted by gradient",
        ),
        Score(
            BRIGHTNESS_FLICKER, "lower", "L*", "how far a frame's brightness is from the mean of both its neighbours, "
            "movement taken out", "own: second difference of lightness along DIS flow",
        ),
        Score(
            COLOUR_DRIFT, "lower", "delta E 1976", "how far colour has gone from that of the beginning at most, "
            "movement and what enters the picture taken out", "own: sum of colour differences along DIS flow",
        ),
        Score(
            FROZEN_FRAMES, "lower", "share of frames", "frames in which no part changes by 1 of 255 from the one "
            "before; a still shot is frozen all through",
            "own: mean difference of the channel and the block of 16 x 16 pixels that change most",
        ),
        Score(FIRST_FRAME_PSNR, "higher", "dB", "the first frame beside the given picture; 100 is equal", "PSNR, sRGB"),
        Score(
            FIRST_FRAME_SSIM, "higher", "-1..1", "the first frame beside the given picture",
            "Wang et al., Image Quality Assessment: From Error Visibility to Structural Similarity, 2004, on luma",
        ),
        Score(
            SHARPNESS, "higher", "of 255", "strength of fine detail, noise included",
            "standard deviation of luma's Laplacian (Pech-Pacheco et al., 2000)",
        ),
        Score(CONTRAST, "higher", "of 255", "how far luma spreads", "standard deviation of luma"),
        Score(
            NOISE, "lower", "of 255", "standard deviation of noise, fine texture included",
            "Immerkaer, Fast Noise Variance Estimation, 1996",
        ),
        Score(OVEREXPOSED, "lower", "share of pixels", "pixels that are white", "all channels from 254.5 of 255 on"),
    )
}  # fmt: skip

NEVER: Mapping[str, str] = {
    "aesthetic_quality": "there is no honest aesthetic score without a network trained on people's votes",
    "imaging_quality": "the network MUSIQ is not at hand; sharpness, contrast, noise and overexposure are told instead",
}
"""VBench's scores that nothing stands in for, and why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A score's value; `worst` is the number of the frame that is worst in it, where one frame can be."""

    value: float
    worst: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured of a clip of `frames` frames, by names of `SCORES`, and why each other name has no number."""

    frames: int
    scores: Mapping[str, Found]
    missing: Mapping[str, str]


@dataclass
class Mean:
    """A mean taken value by value, and which frame was worst."""

    worse: Literal["higher", "lower"] = "higher"
    total: float = 0.0
    count: int = 0
    _extreme: float = field(default=0.0, repr=False)
    _worst: int | None = field(default=None, repr=False)

    def add(self, value: float, number: int) -> None:
        self.total += value
        self.count += 1
        beyond = value > self._extreme if self.worse == "higher" else value < self._extreme
        if self._worst is None or beyond:
            self._extreme, self._worst = value, number

    def found(self, otherwise: str) -> Found | str:
        """The mean, or `otherwise` where nothing was added. No frame is worst where none has any of it."""
        if not self.count:
            return otherwise
        nowhere = self.worse == "higher" and self._extreme == 0
        return Found(self.total / self.count, None if nowhere else self._worst)


def turned(found: Found | str) -> Found | str:
    """1 minus an error."""
    return Found(1 - found.value, found.worst) if isinstance(found, Found) else found


def told(scores: Iterable[tuple[str, float]]) -> str:
    """Scores in one line."""
    return ", ".join(f"{name} {value:.4g}" for name, value in scores)

"""Whether the quality scores tell good clips from bad ones: `python -m artifexpro.benchmarks.quality`.

Six clips are drawn, every defect is planted in each, all are measured, and for every defect the score that is to find
it is held against its margin: the least bad of the spoilt clips beside the worst of the good ones, so that one limit
serves for all of them. Speed is that of measuring full HD frames that are in memory already.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from artifexpro.benchmarks import defects
from artifexpro.benchmarks.common import Figure, figure, machine
from artifexpro.benchmarks.defects import DEFECTS, GOOD, RATE, WRONG_FIRST, Moment
from artifexpro.core.lazy import cv2, numpy
from artifexpro.core.media.metrics import scores
from artifexpro.core.media.metrics.clip import measure
from artifexpro.core.media.metrics.scores import SCORES

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLAIN = "good"
Values = Mapping[str, float]
Table = Mapping[str, Mapping[str, Values]]
"""By defect, PLAIN among them, by clip: the scores."""
SPEED_FRAMES = 24


@dataclass(frozen=True)
class Claim:
    """What finds a defect, and by what margin. Errors are compared by `times`, scores that can be 0 or are in dB by
    `apart`."""

    defect: str
    score: str
    times: float = 0.0
    apart: float = 0.0

    def bad(self, value: float) -> float:
        """A score as an error: higher is worse."""
        if SCORES[self.score].better == "lower":
            return value
        return -value if self.apart else 1 - value if SCORES[self.score].unit == "0..1" else 1 / value

    def measured(self, table: Table) -> tuple[float, float]:
        """The score of the worst good clip, and of the least bad clip with the defect."""
        best = max((values[self.score] for values in table[PLAIN].values()), key=self.bad)
        worst = min((values[self.score] for values in table[self.defect].values()), key=self.bad)
        return best, worst

    def margin(self, table: Table) -> float:
        """Times, or units apart, that lie between the two."""
        plain, spoilt = (self.bad(value) for value in self.measured(table))
        return spoilt - plain if self.apart else spoilt / plain

    @property
    def least(self) -> float:
        return self.apart or self.times


CLAIMS = (
    Claim("jitter 1 px", scores.MOTION_JERK, times=3),
    Claim("jitter 2 px", scores.MOTION_JERK, times=6),
    Claim("flicker 4 %", scores.BRIGHTNESS_FLICKER, times=10),
    Claim("colour drift", scores.COLOUR_DRIFT, times=3),
    Claim("freeze", scores.FROZEN_FRAMES, apart=0.3),
    Claim("stutter", scores.FROZEN_FRAMES, apart=0.25),
    Claim("noise 2 %", scores.NOISE, times=10),
    Claim("first frame 8 frames late", scores.FIRST_FRAME_PSNR, apart=6),
    Claim("first frame of another clip", scores.FIRST_FRAME_PSNR, apart=6),
)


def measured() -> Table:
    """Everything drawn and measured."""
    table: dict[str, dict[str, Values]] = {}
    ways: Mapping[str, Callable[[Moment], Iterator[NDArray[Any]]]] = {
        PLAIN: defects.good,
        **DEFECTS,
        **WRONG_FIRST,
    }
    for defect, spoil in ways.items():
        table[defect] = {}
        for name, moment in GOOD.items():
            report = measure(spoil(moment), RATE, given=defects.asked_for(moment))
            table[defect][name] = {score: found.value for score, found in report.scores.items()}
    return table


def frames_a_second(width: int = 1920, height: int = 1080) -> float:
    """Of measuring a pan over texture at full size, frames being drawn beforehand."""
    wide = cv2.resize(defects.GOOD["a pan over texture"](0, 0, 0), (width + 256, height))
    frames = [numpy.ascontiguousarray(wide[:, 6 * at : 6 * at + width]) for at in range(SPEED_FRAMES)]
    began = perf_counter()
    measure(frames, RATE)
    return SPEED_FRAMES / (perf_counter() - began)


def rows(table: Table) -> list[str]:
    """The table of scores: for each the range over good clips and over those with each defect, in Markdown."""
    lines = ["| score | " + " | ".join(table) + " |", "|---" * (len(table) + 1) + "|"]
    for score in SCORES:
        cells = []
        for clips in table.values():
            values = [each[score] for each in clips.values() if score in each]
            cells.append(_range(values))
        if any(cells):
            lines.append(f"| {score} | " + " | ".join(cells) + " |")
    return lines


def verdicts(table: Table) -> list[str]:
    """For each defect what finds it and by how much, in Markdown."""
    lines = ["| defect | found by | worst good clip | least bad spoilt clip | margin | at least |", "|---" * 6 + "|"]
    for claim in CLAIMS:
        plain, spoilt = claim.measured(table)
        unit = "apart" if claim.apart else "times"
        lines.append(
            f"| {claim.defect} | `{claim.score}` | {plain:.4g} | {spoilt:.4g} | {claim.margin(table):.3g} {unit} "
            f"| {claim.least:g} |"
        )
    return lines


def _range(values: Sequence[float]) -> str:
    if not values:
        return ""
    ends = [f"{each:.3g}" if each < 0.9 or each > 1 else f"{each:.4f}" for each in (min(values), max(values))]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} - {ends[1]}"


def figures(table: Table, speed: float) -> list[Figure]:
    found = []
    for claim in CLAIMS:
        plain, spoilt = claim.measured(table)
        target = f">= {claim.least:g} {'apart' if claim.apart else 'times'}"
        name = f"quality.{claim.defect.replace(' ', '_')}"
        note = f"{claim.score}, {SCORES[claim.score].unit}; margin {claim.margin(table):.3g}"
        found.append(figure(name, [spoilt], "", peer="worst good clip", peers=[plain], target=target, note=note))
    note = "1920 x 1080, frames in memory; flow at 512 x 288"
    peer = "the rate of such a clip"
    found.append(figure("quality.full_hd_fps", [speed], "frames/s", peer=peer, peers=[RATE], target=">= 4", note=note))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 where a margin is not kept."""
    parser = argparse.ArgumentParser(prog="python -m artifexpro.benchmarks.quality", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    asked = parser.parse_args(arguments)
    table = measured()
    speed = frames_a_second()
    if asked.json:
        told = [asdict(each) for each in figures(table, speed)]
        print(json.dumps({"machine": machine(), "figures": told, "table": table}, indent=2))
    else:
        about = machine()
        print(f"{about['processor']}, {about['cores']} cores, load {about['load']}", end="\n\n")
        print("\n".join([*verdicts(table), "", *rows(table), ""]))
        print(f"full HD: {speed:.1f} frames/s")
    return int(any(claim.margin(table) < claim.least for claim in CLAIMS))


if __name__ == "__main__":
    sys.exit(main())

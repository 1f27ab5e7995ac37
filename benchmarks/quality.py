"""Whether the quality scores tell good clips from bad ones: `python -m artifexpro.benchmarks.quality`.

Six clips are drawn, every defect is planted in each, all are measured, and for every defect the score that is to find
it is held against its margin: the least bad of the spoilt clips beside the worst of the good ones, so that one limit
serves for all of them. Speed is that of measuring full HD frames that are in memory already.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter

from artifexpro.benchmarks import defects
from artifexpro.benchmarks.common import Figure, figure, machine
from artifexpro.benchmarks.defects import DEFECTS, GOOD, RATE, SMALL, WIDE, WRONG_FIRST, Canvas, Spoil
from artifexpro.core.lazy import cv2, numpy
from artifexpro.core.media.metrics import scores
from artifexpro.core.media.metrics.clip import measure
from artifexpro.core.media.metrics.scores import SCORES

PLAIN = "good"
WAYS: Mapping[str, Spoil] = {PLAIN: defects.good, **DEFECTS, **WRONG_FIRST}
"""How each column of the table is drawn."""
Values = Mapping[str, float]
Table = Mapping[str, Mapping[str, Values]]
"""By defect, PLAIN among them, by clip: the scores."""
SPEED_FRAMES = 24


@dataclass(frozen=True)
class Claim:
    """What finds a defect, and by what margin: `times` as much, or so much `apart` where the score of a good clip is 0
    or in dB."""

    defect: str
    score: str
    times: float = 0.0
    apart: float = 0.0

    def ends(self, table: Table) -> tuple[float, float]:
        """The score of the worst good clip, and of the least bad clip with the defect."""
        good = [values[self.score] for values in table[PLAIN].values()]
        spoilt = [values[self.score] for values in table[self.defect].values()]
        return (min(good), max(spoilt)) if SCORES[self.score].better == "higher" else (max(good), min(spoilt))

    def margin(self, table: Table) -> float:
        """Times, or units apart, that lie between the two; negative or below 1 where they overlap."""
        good, spoilt = self.ends(table)
        if self.apart:
            return good - spoilt if SCORES[self.score].better == "higher" else spoilt - good
        return spoilt / good

    @property
    def least(self) -> float:
        return self.apart or self.times


CLAIMS = (
    Claim("jitter 1 px", scores.MOTION_JERK, times=3),
    Claim("jitter 2 px", scores.MOTION_JERK, times=6),
    Claim("flicker 4 %", scores.BRIGHTNESS_FLICKER, apart=0.2),
    Claim("colour drift", scores.COLOUR_DRIFT, apart=2),
    Claim("freeze", scores.FROZEN_FRAMES, apart=0.3),
    Claim("stutter", scores.FROZEN_FRAMES, apart=0.25),
    Claim("noise 2 %", scores.NOISE, times=10),
    Claim("first frame 8 frames late", scores.FIRST_FRAME_PSNR, apart=6),
    Claim("first frame of another clip", scores.FIRST_FRAME_PSNR, apart=15),
)
WIDE_CLAIMS = (
    Claim("jitter 1 px", scores.MOTION_JERK, times=2),
    Claim("jitter 2 px", scores.MOTION_JERK, times=4),
)
"""At 1280 x 720, where flow sees 0.4 of each pixel of it."""


def measured(ways: Iterable[str] = tuple(WAYS), on: Canvas = SMALL) -> Table:
    """Everything drawn and measured."""
    table: dict[str, dict[str, Values]] = {}
    for way in ways:
        table[way] = {}
        for name, moment in GOOD.items():
            report = measure(WAYS[way](moment, on), RATE, given=defects.asked_for(moment, on))
            table[way][name] = {score: found.value for score, found in report.scores.items()}
    return table


def measured_wide() -> Table:
    """What `WIDE_CLAIMS` ask for."""
    return measured((PLAIN, *(claim.defect for claim in WIDE_CLAIMS)), WIDE)


def frames_a_second(width: int = 1920, height: int = 1080) -> float:
    """Of measuring a pan over texture at full size, frames being drawn beforehand."""
    wide = cv2.resize(GOOD["a pan over texture"](SMALL, 0, 0, 0), (width + 256, height))
    frames = [numpy.ascontiguousarray(wide[:, 6 * at : 6 * at + width]) for at in range(SPEED_FRAMES)]
    began = perf_counter()
    measure(frames, RATE)
    return SPEED_FRAMES / (perf_counter() - began)


def rows(table: Table) -> list[str]:
    """The table of scores in Markdown: for each the range over good clips and over those with each defect."""
    lines = ["| score | " + " | ".join(table) + " |", "|---" * (len(table) + 1) + "|"]
    for score in SCORES:
        found = [[each[score] for each in clips.values() if score in each] for clips in table.values()]
        if any(found):
            lines.append(f"| {score} | " + " | ".join(map(_range, found)) + " |")
    return lines


def verdicts(table: Table, claims: Sequence[Claim]) -> list[str]:
    """For each defect what finds it and by how much, in Markdown."""
    lines = ["| defect | found by | worst good clip | least bad spoilt clip | margin | at least |", "|---" * 6 + "|"]
    for claim in claims:
        good, spoilt = claim.ends(table)
        unit = "apart" if claim.apart else "times"
        lines.append(
            f"| {claim.defect} | `{claim.score}` | {good:.3g} | {spoilt:.3g} | {claim.margin(table):.3g} {unit} "
            f"| {claim.least:g} |"
        )
    return lines


def _range(values: Sequence[float]) -> str:
    ends = [f"{each:.4f}" if 0.9 <= each <= 1 else f"{each:.2g}" for each in (min(values), max(values))]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} - {ends[1]}"


def figures(table: Table, wide: Table, speed: float) -> list[Figure]:
    """Each claim as a figure, and the speed."""
    claims = [(claim, table, "") for claim in CLAIMS] + [(claim, wide, "_720p") for claim in WIDE_CLAIMS]
    found = []
    for claim, measures, size in claims:
        good, spoilt = claim.ends(measures)
        target = f">= {claim.least:g} {'apart' if claim.apart else 'times'}"
        name = f"quality.{claim.defect.replace(' ', '_')}{size}"
        note = f"{claim.score}; margin {claim.margin(measures):.3g}"
        unit = SCORES[claim.score].unit
        found.append(figure(name, [spoilt], unit, peer="worst good clip", peers=[good], target=target, note=note))
    note = "1920 x 1080, frames in memory; flow at 512 x 288"
    peer = "the rate of such a clip"
    found.append(figure("quality.full_hd_fps", [speed], "frames/s", peer=peer, peers=[RATE], target=">= 4", note=note))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 where a margin is not kept."""
    parser = argparse.ArgumentParser(prog="python -m artifexpro.benchmarks.quality", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    asked = parser.parse_args(arguments)
    table, wide, speed = measured(), measured_wide(), frames_a_second()
    about = machine()
    if asked.json:
        told = [asdict(each) for each in figures(table, wide, speed)]
        print(json.dumps({"machine": about, "figures": told, "table": table}, indent=2))
    else:
        print(f"{about['processor']}, {about['cores']} cores, load {about['load']}", end="\n\n")
        print("\n".join([*verdicts(table, CLAIMS), "", *verdicts(wide, WIDE_CLAIMS), "", *rows(table), ""]))
        print(f"full HD: {speed:.1f} frames/s")
    kept = [claim.margin(table) >= claim.least for claim in CLAIMS]
    kept += [claim.margin(wide) >= claim.least for claim in WIDE_CLAIMS]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())

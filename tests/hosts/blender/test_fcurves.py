"""The engine's curves are Blender's F-curves: every interpolation and easing, sampled in Blender itself.

Blender computes in 32 bit floats, so frames and keys stand on eighths, which both have exactly.
"""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from artifexpro.core.graph.curves import EASES, Curve

TOLERANCE = 1e-5
"""Of the value, or of 1 if that is larger: what 32 bit floats leave."""
OF_BEZIER = 5e-4
"""Blender's closed form of the cubic loses digits where a curve is steep."""


def key(frame: float, ease: str, chance: random.Random, longest: float) -> dict[str, Any]:
    return {
        "frame": frame,
        "value": chance.uniform(-3, 5),
        "ease": ease,
        "left": [-chance.randrange(0, int(longest * 8)) / 8, chance.uniform(-4, 4)],
        "right": [chance.randrange(0, int(longest * 8)) / 8, chance.uniform(-4, 4)],
        "back": chance.choice([1.70158, 0.5, 3.0]),
        "amplitude": chance.choice([0.0, 0.8, 2.0, 9.0]),
        "period": chance.choice([4.1, 2.0, 11.0]),
    }


def curves(longest: float) -> list[dict[str, Any]]:
    """One of each ease and each way to go on outside; keys stand 9, 2.5 and 18.5 frames apart, or there is only one."""
    chance = random.Random(longest)
    told = []
    for ease in sorted(EASES):
        for outside in ("hold", "linear", "cycle"):
            frames = [40 + at / 8 for at in range(-20 * 8, 50 * 8, 3)]
            keys = [key(frame, ease, chance, longest) for frame in (40, 49, 51.5, 70)]
            told.append({"keys": keys, "outside": outside, "frames": frames})
            if outside != "cycle":
                told.append({"keys": keys[:1], "outside": outside, "frames": frames[::40]})
    return told


def sampled(python: Path, told: list[dict[str, Any]], folder: Path) -> list[list[float]]:
    wanted, result = folder / "wanted.json", folder / "result.json"
    wanted.write_text(json.dumps(told))
    script = Path(__file__).with_name("fcurves.py")
    done = subprocess.run(
        [str(python), str(script), str(wanted), str(result)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    values: list[list[float]] = json.loads(result.read_text())
    return values


@pytest.mark.parametrize("longest", [2.5, 30.0], ids=["handles apart", "handles that reach over keys"])
def test_curves_are_those_of_blender(blender: Any, tmp_path: Path, longest: float) -> None:
    told = curves(longest)
    for one, theirs in zip(told, sampled(blender.python, told, tmp_path), strict=True):
        outside, ease = one["outside"], one["keys"][0]["ease"]
        tolerance = OF_BEZIER if ease == "bezier" else TOLERANCE
        curve = Curve.parse({"curve": {"keys": one["keys"], "before": outside, "after": outside}})
        ours = [curve.at(frame) for frame in one["frames"]]
        for frame, mine, other in zip(one["frames"], ours, theirs, strict=True):
            difference = abs(mine - other) / max(1, abs(other))
            assert difference < tolerance, f"{ease}, {outside}, frame {frame}: {mine} and {other}"

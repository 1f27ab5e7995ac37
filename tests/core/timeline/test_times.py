"""Floating point rates and times become exact again."""

from __future__ import annotations

from fractions import Fraction

import opentimelineio
import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.timeline.times import exact, whole

time = opentimelineio.opentime.RationalTime


@pytest.mark.parametrize("rate", ["24", "25", "30", "24000/1001", "30000/1001", "60000/1001", "50", "15/2", "12", "1"])
def test_rates_are_made_exact_again(rate: str) -> None:
    assert exact(float(Fraction(rate))) == Fraction(rate)


@pytest.mark.parametrize(
    ("written", "meant"),
    [(23.976, 24), (23.98, 24), (23.976023976, 24), (29.97, 30), (47.952, 48), (59.94, 60), (119.88, 120)],
)
def test_rates_written_with_few_digits_are_the_broadcast_ones(written: float, meant: int) -> None:
    assert exact(written) == Fraction(meant * 1000, 1001)


@pytest.mark.parametrize("rate", [0.0, -24.0, float("nan"), float("inf")])
def test_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(ArtifexError, match="frames a second"):
        exact(rate)


def test_times_of_other_rates_are_converted_exactly() -> None:
    ntsc = Fraction(24000, 1001)
    assert whole(time(48, 24), Fraction(25)) == 50
    assert whole(time(1, 24), Fraction(25)) == Fraction(25, 24)
    assert whole(time(1, 24), ntsc) == Fraction(1000, 1001)
    assert whole(time(99.9999999997, 24), Fraction(24)) == 100
    assert whole(time(10.5, 24), Fraction(24)) == Fraction(21, 2)
    assert whole(time(0, 1), ntsc) == 0
    assert isinstance(whole(time(48, 24), Fraction(25)), int)
    with pytest.raises(ArtifexError, match="a time in it is nan"):
        whole(time(float("nan"), 24), ntsc)

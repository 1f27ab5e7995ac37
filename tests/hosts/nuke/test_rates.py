"""Frame rates that people write are the fractions they mean."""

from __future__ import annotations

from fractions import Fraction

import pytest

from artifexpro.hosts.nuke import rates


@pytest.mark.parametrize(
    ("fps", "exact", "text"),
    [
        (24.0, Fraction(24), "24"),
        (23.976, Fraction(24000, 1001), "24000/1001"),
        (23.98, Fraction(24000, 1001), "24000/1001"),
        (29.97, Fraction(30000, 1001), "30000/1001"),
        (59.94, Fraction(60000, 1001), "60000/1001"),
        (25.0, Fraction(25), "25"),
        (12.5, Fraction(25, 2), "25/2"),
        (0.0, Fraction(0), "0"),
    ],
)
def test_rates_are_exact(fps, exact, text):
    assert rates.exact(fps) == exact
    assert rates.text(rates.exact(fps)) == text

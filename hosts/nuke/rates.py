"""The script's frame rate as a fraction: 23.976 is what people write for 24000/1001."""

from __future__ import annotations

from fractions import Fraction

_NEAR = 0.005


def exact(fps: float) -> Fraction:
    """Whole, or a thousand and first of a whole; any other rate as near as a thousandth. 0 has no clip."""
    whole = round(fps)
    if abs(fps - whole) < 1e-6:
        return Fraction(whole)
    slowed = Fraction(whole * 1000, 1001)
    return slowed if abs(fps - float(slowed)) < _NEAR else Fraction(fps).limit_denominator(1000)


def text(rate: Fraction) -> str:
    """As the catalogue's nodes take it."""
    return str(rate.numerator) if rate.denominator == 1 else f"{rate.numerator}/{rate.denominator}"

"""Which wires the engine takes: an output to an input of its own type, or of one that it becomes by itself."""

from __future__ import annotations

ANY = "ANY"
"""The type of a socket of a node that is not known here."""
CONTROL = "CONTROL"
COLOURS = {
    "VIDEO": (0.78, 0.55, 0.16, 1.0),
    "IMAGE": (0.78, 0.78, 0.16, 1.0),
    "MASK": (0.63, 0.63, 0.63, 1.0),
    "AUDIO": (0.25, 0.62, 0.58, 1.0),
    CONTROL: (0.36, 0.60, 0.84, 1.0),
    "DATA": (0.55, 0.36, 0.72, 1.0),
    ANY: (0.35, 0.20, 0.20, 1.0),
}
BECOMES = frozenset(
    {
        ("IMAGE", "VIDEO"),
        ("VIDEO", "IMAGE"),
        ("MASK", "IMAGE"),
        ("MASK", "VIDEO"),
        ("IMAGE", "MASK"),
        ("VIDEO", "MASK"),
        ("AUDIO", "CONTROL"),
        ("CONTROL", "DATA"),
        ("DATA", "CONTROL"),
    }
)
"""Conversions that the engine makes by itself; a test holds them equal to its own."""


def fits(given: str, wanted: str) -> bool:
    """Whether an output of type `given` may lead to an input of type `wanted`."""
    return ANY in (given, wanted) or given == wanted or (given, wanted) in BECOMES

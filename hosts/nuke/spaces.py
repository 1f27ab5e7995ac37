"""The project's own colour management, and the one scene-linear space that it and the daemon both know.

Pictures travel in that space both ways: Nuke turns the script's working space into it when it writes a plate, and back
when it reads a result, by the project's OpenColorIO config and nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import nuke

from .telling import Refused

_KNOWN = (
    ("ACEScg", ("ACEScg", "ACES - ACEScg", "lin_ap1", "acescg", "lin_ap1_scene")),
    (
        "Linear Rec.709 (sRGB)",
        ("Linear Rec.709 (sRGB)", "Utility - Linear - sRGB", "Utility - Linear - Rec.709", "lin_rec709", "lin_srgb"),
    ),
)
"""The daemon's names, the better first, and what they are called in the configs that projects have."""
NUKES_LINEAR = "linear"


@dataclass(frozen=True)
class Space:
    """One colour space by its two names: that of the daemon's config and that in the pulldowns of Nuke's Reads."""

    daemons: str
    nukes: str


def between(knob: Any) -> Space:
    """The space to travel in; `knob` is the `colorspace` of any Read. Raises `Refused` where the project has none."""
    if _management() == "Nuke":
        return Space("Linear Rec.709 (sRGB)", NUKES_LINEAR)
    names = nuke.getColorspaceList(knob)
    if len([name for name in names if name != "default"]) == 0:
        raise Refused(
            "read the project's colour spaces",
            f"its OpenColorIO config {config_name()} cannot be read",
            "another OCIO config in Project Settings, or the file back in its place",
        )
    for daemons, known in _KNOWN:
        found = next((name for name in known if name in names), None)
        if found is not None:
            return Space(daemons, found)
    wanted = " nor ".join(daemons for daemons, _ in _KNOWN)
    raise Refused(
        "find a scene-linear colour space",
        f"the project's OpenColorIO config {config_name()} has neither {wanted}",
        "a config that has one of them, such as those that come with Nuke",
    )


def config_name() -> str:
    """What the project's config is called, or its file."""
    root = nuke.root()
    chosen = str(root["OCIO_config"].value())
    return str(root["customOCIOConfigPath"].value() or "(no file chosen)") if chosen == "custom" else chosen


def _management() -> str:
    knob = nuke.root().knob("colorManagement")
    return "Nuke" if knob is None else str(knob.value())

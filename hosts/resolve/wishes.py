"""What the artist may ask for, as one table of plain values: from a panel, a Python script, Lua, or a file."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any

from ..bridge.errors import BridgeError

LENGTHS = {"Draft": 41, "Preview": 81, "Production": 121, "Cinema": 241}
"""Frames of each preset: the wish states the length, because the place on the timeline depends on it."""
_FITS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "str": (str,),
    "bool": (bool,),
    "float": (int, float),
    "list[Any]": (list,),
    "int | None": (int,),
}
_WORDS = frozenset(
    {"kind", "name", "prompt", "negative_prompt", "model", "preset", "seed", "steps", "width", "height", "with_frames"}
)
_PLACED = _WORDS | {"handles", "track", "image", "made"}
KINDS = {
    "clip": _PLACED | {"frames"},
    "gap": _PLACED,
    "take": _WORDS | {"strength", "space"},
    "look": frozenset({"kind", "name", "grades", "node", "space"}),
    "file": _PLACED | {"frames", "at", "start", "rate"},
}
"""The fields that mean something for each kind; another one is refused."""


@dataclass(frozen=True)
class Wish:
    """One result asked for.

    `kind`: "clip" at the playhead, "gap" filled around it, "take" of the clip under it, "look" as a LUT on that clip,
    "file" for a timeline that no script can see: at timecode `at` of one that begins at `start` with `rate`.
    `track` None is the lowest free one. `frames` are pictures shown, `handles` more at each end. `image` is the whole
    path of a picture the clip begins with. `model` empty is the daemon's choice, `made` the model's rate. `space` is
    the colour space of the timeline's picture, for takes and looks. `grades` of a look are nodes one after the other:
    [["CDL", {"slope_red": 1.1}], ...].
    """

    kind: str = "clip"
    prompt: str = ""
    negative_prompt: str = ""
    model: str = ""
    preset: str = "Draft"
    seed: int = 0
    frames: int = 0
    steps: int = 0
    width: int = 0
    height: int = 0
    handles: int = 0
    track: int | None = None
    image: str = ""
    with_frames: bool = False
    made: Fraction = Fraction(24)
    space: str = "srgb_tx"
    strength: float = 0.7
    grades: list[Any] = field(default_factory=list)
    node: int = 1
    name: str = ""
    at: str = "01:00:00:00"
    start: str = "01:00:00:00"
    rate: str = "24"

    @property
    def title(self) -> str:
        words = " ".join((self.name or self.prompt or self.kind).split())
        return words if len(words) <= 60 else words[:59].rstrip() + "…"

    def _stated(self, name: str) -> bool:
        return bool(getattr(self, name) != getattr(Wish(), name))

    @classmethod
    def of(cls, said: dict[str, Any]) -> Wish:
        """A wish out of plain values. Raises `BridgeError` for a name or a value that none has."""
        known = {each.name: each for each in fields(cls)}
        unknown = sorted(set(said) - set(known))
        if unknown:
            raise refused(f"wishes have no {', '.join(unknown)}", f"one of {', '.join(sorted(known))}")
        values = dict(said)
        for name, value in said.items():
            values[name] = _value(name, str(known[name].type), value)
        return cls(**values).checked()

    def checked(self) -> Wish:
        """Itself. Raises `BridgeError` where it cannot be asked for, whatever the timeline is."""
        if self.kind not in KINDS:
            raise refused(f'there is no kind "{self.kind}"', f"one of {', '.join(KINDS)}")
        idle = [each.name for each in fields(self) if each.name not in KINDS[self.kind] and self._stated(each.name)]
        if idle:
            raise refused(f"{', '.join(idle)} would do nothing for a {self.kind}", "leaving it out")
        if self.kind == "look":
            return self
        if not self.prompt.strip():
            raise refused("the prompt is empty", "a few words on what should be seen")
        if self.preset not in LENGTHS:
            raise refused(f'there is no preset "{self.preset}"', f"one of {', '.join(LENGTHS)}")
        if min(self.frames, self.handles, self.steps, self.width, self.height) < 0 or (
            self.track is not None and self.track < 1
        ):
            raise refused("frames, handles, steps, sizes and tracks are counted from 0 and 1 upwards", "other numbers")
        return self


def refused(because: str, remedy: str) -> BridgeError:
    return BridgeError("ask for a clip", because, remedy, code="wish")


def _value(name: str, kind: str, value: Any) -> Any:
    try:
        if kind == "Fraction":
            return Fraction(value)
        if value is None and kind.endswith("| None"):
            return None
        if value == {} and kind == "list[Any]":
            return []  # Lua has one empty table for both
        fits = _FITS[kind]
        if isinstance(value, fits) and (kind == "bool" or not isinstance(value, bool)):
            return value
        if isinstance(value, float) and kind.startswith("int") and value.is_integer():
            return int(value)
    except (TypeError, ValueError, ZeroDivisionError):
        pass
    raise refused(f"{value!r} is no value for {name}", f"{'a number' if kind != 'str' else 'text'} for {name}")

"""The daemon's catalogue of nodes as controls that every host has: numbers, ticks, choices, texts, files.

No node is written by hand for a host: from an entry of `artifexpro nodes --json` come a Nuke Group's knobs and a Fusion
macro's controls alike. What a control cannot say stays in the node's record (see `nativegraph`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Union

from .errors import BridgeError
from .motion import Motion, close, drawn, edited, is_number, same

Entry = Mapping[str, Any]
Shown = Union[str, int, float, bool, Motion]

NUMBER = "number"
WHOLE = "whole"
TICK = "tick"
CHOICE = "choice"
TEXT = "text"
LINES = "lines"
FILE = "file"
DIGITS = "digits"
"""A whole number that hosts' own whole numbers, of 32 bits, have no room for; shown as text."""
OPTIONAL = "optional"
"""A number that may be left empty; shown as text."""
MOTION = "motion"
"""A curve, always."""

GROUP_TYPE = "group:"
_LARGEST = 2**31 - 1
_LONG_TEXTS = ("prompt", "negative_prompt", "avoid")
_SIMPLE = {"float": NUMBER, "int": WHOLE, "bool": TICK, "choice": CHOICE, "curve": MOTION, "string": TEXT}


@dataclass(frozen=True)
class Control:
    """One parameter as hosts show it. `moves`: it may have keys. `whole`: its numbers are whole ones."""

    name: str
    kind: str
    default: Shown
    choices: tuple[str, ...] = ()
    moves: bool = False
    minimum: float | None = None
    maximum: float | None = None
    doc: str = ""
    whole: bool = False

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").strip().capitalize() or self.name

    def shown(self, value: Any) -> Shown | None:
        """A document's value as the control shows it; None where it cannot."""
        if self.kind in (NUMBER, MOTION) and isinstance(value, Mapping):
            return drawn(value) if self.moves else None
        if self.kind == OPTIONAL:
            return "" if value is None else repr(value) if is_number(value) else None
        if self.kind == DIGITS:
            return str(value) if _is_whole(value) else None
        if self.kind in (NUMBER, WHOLE):
            fits = (_is_whole(value) if self.kind == WHOLE else is_number(value)) and self._in_range(value)
            return value if fits else None
        if self.kind == TICK:
            return value if isinstance(value, bool) else None
        if not isinstance(value, str) or self.kind == MOTION:
            return None
        return value if self.kind != CHOICE or value in self.choices else None

    def value(self, shown: Shown, before: Any, node: str) -> Any:
        """The document's value after the control of `node` was changed to `shown`. Raises `BridgeError`."""
        if isinstance(shown, tuple):
            return edited(before, shown)
        if self.kind == MOTION:
            return {"curve": {"keys": [{"frame": 0.0, "value": float(shown)}]}}
        if self.kind in (OPTIONAL, DIGITS):
            return self._from_text(str(shown).strip(), node)
        if self.kind == CHOICE and shown not in self.choices:
            raise self._refused(node, f'"{shown}" is none of its choices', f"one of {', '.join(self.choices)}")
        return shown

    def unchanged(self, was: Shown, now: Shown) -> bool:
        """Whether the host still shows what it was given, but for its rounding."""
        if isinstance(was, tuple) or isinstance(now, tuple):
            return isinstance(was, tuple) and isinstance(now, tuple) and same(was, now)
        if self.kind in (NUMBER, MOTION):
            return close(float(was), float(now))
        return was == now

    def _from_text(self, text: str, node: str) -> Any:
        if self.kind == OPTIONAL and not text:
            return None
        whole = self.whole or self.kind == DIGITS
        for read in (int,) if whole else (int, float):
            try:
                number = read(text)
            except ValueError:
                continue
            if is_number(number):
                return number
        what = f"a {'whole ' if whole else ''}number{' or nothing' if self.kind == OPTIONAL else ''}"
        raise self._refused(node, f'"{text}" is not {what}', what)

    def _refused(self, node: str, because: str, remedy: str) -> BridgeError:
        return BridgeError(f"read {self.label} of {node}", because, remedy, code="usage", node=node)

    def _in_range(self, value: float) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def controls(entry: Entry) -> tuple[Control, ...]:
    """The controls of a catalogue entry, in its order. A group's parameter whose default no control of its kind can
    show has none and travels with the node; a test holds that nodes have no such parameter."""
    made = (_control(parameter) for parameter in entry["parameters"])
    return tuple(control for control in made if control is not None)


def _control(parameter: Mapping[str, Any]) -> Control | None:
    kind = _kind(parameter)
    plain = Control(
        parameter["name"],
        kind,
        "",
        tuple(parameter.get("choices") or ()),
        bool(parameter["animatable"]) or kind == MOTION,
        parameter["minimum"],
        parameter["maximum"],
        _help(parameter),
        parameter["type"] == "int",
    )
    shown = plain.shown(parameter["default"])
    return None if shown is None else replace(plain, default=shown)


def _kind(parameter: Mapping[str, Any]) -> str:
    kind = parameter["type"]
    if parameter["default"] is None and kind in ("int", "float"):
        return OPTIONAL
    if kind == "int" and abs(parameter["maximum"] or 0) > _LARGEST:
        return DIGITS
    if kind == "string" and parameter["unit"] == "path":
        return FILE
    if kind == "string" and parameter["name"] in _LONG_TEXTS:
        return LINES
    return _SIMPLE[kind]


def _help(parameter: Mapping[str, Any]) -> str:
    doc, unit = parameter.get("doc") or "", parameter["unit"]
    return f"{doc} ({unit})" if unit and unit not in doc else doc


def by_name(catalogue: Iterable[Entry]) -> dict[str, Entry]:
    return {entry["name"]: entry for entry in catalogue}


def group_entry(group: Mapping[str, Any], groups: Mapping[str, Any], known: Mapping[str, Entry]) -> dict[str, Any]:
    """The entry of a document's group, as the daemon describes it. What leads to nodes unknown here is left out: it
    has no control and travels with the node."""
    sockets = group.get("inputs", {})
    found = ((name, _exposed(name, group, groups, known, ())) for name in group.get("parameters", {}))
    return {
        "name": GROUP_TYPE + group["name"],
        "category": group.get("category", "group"),
        "version": group["version"],
        "doc": group.get("doc", ""),
        "inputs": [
            {"name": name, "type": each["type"], "optional": each.get("optional", False)}
            for name, each in sockets.items()
        ],
        "outputs": [{"name": name, "type": each["type"]} for name, each in group.get("outputs", {}).items()],
        "parameters": [{**parameter, "name": name} for name, parameter in found if parameter is not None],
    }


def _exposed(
    name: str, group: Mapping[str, Any], groups: Mapping[str, Any], known: Mapping[str, Entry], seen: Sequence[str]
) -> dict[str, Any] | None:
    """A group's parameter as the first node inside that it leads to declares it, but for what the group says itself."""
    stated = group["parameters"][name]
    node, inner_name = stated["to"][0][:2]
    record = group["nodes"][node]
    declared = _declared(inner_name, record, groups, known, seen)
    if declared is None:
        return None
    inner = record.get("params", {}).get(inner_name, declared["default"])
    default = stated.get("default", inner)
    told = {**declared, "default": None if isinstance(default, Mapping) else default}
    told["doc"] = stated.get("doc", declared["doc"])
    for side, tightest in (("minimum", max), ("maximum", min)):
        told[side] = tightest([each for each in (stated.get(side), declared[side]) if each is not None], default=None)
    return told


def _declared(
    name: str, record: Mapping[str, Any], groups: Mapping[str, Any], known: Mapping[str, Entry], seen: Sequence[str]
) -> dict[str, Any] | None:
    kind, version = record["type"], record.get("version", 1)
    if kind.startswith(GROUP_TYPE):
        key = f"{kind[len(GROUP_TYPE) :]}@{version}"
        inner = groups.get(key)
        if inner is None or key in seen or name not in inner.get("parameters", {}):
            return None
        return _exposed(name, inner, groups, known, (*seen, key))
    entry = known.get(kind)
    if entry is None or entry["version"] != version:
        return None
    return next((dict(each) for each in entry["parameters"] if each["name"] == name), None)

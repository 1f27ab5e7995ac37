"""Graph documents with all that a document can have: what the tests here send through the hosts' texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OLD = Path(__file__).resolve().parents[2] / "core" / "graph" / "old"
SIGNS = "a \"red\" [kite] over ${sea}; \\ {or} } { # %d\n\ttwo lines — ü 海 \x07 <b>%04d</b> 'single' [[long]] -- no"


def node(kind: str, params: dict[str, Any] | None = None, ui: dict[str, Any] | None = None, **inputs: Any) -> Any:
    told: dict[str, Any] = {"type": kind, "version": 1}
    wires = {socket: [source, "out"] if isinstance(source, str) else source for socket, source in inputs.items()}
    for title, table in (("params", params), ("inputs", wires), ("ui", ui)):
        if table:
            told[title] = table
    return told


def graph(nodes: dict[str, Any], groups: dict[str, Any] | None = None) -> dict[str, Any]:
    told = {"format": "artifexpro.graph", "version": 2 if groups else 1, "nodes": nodes}
    return {**told, "groups": groups} if groups else told


def curve(*keys: dict[str, Any], **outside: str) -> dict[str, Any]:
    return {"curve": {"keys": list(keys), **outside}}


def key(frame: float, value: float, ease: str = "linear", **more: Any) -> dict[str, Any]:
    return {"frame": frame, "value": value, "ease": ease, **more}


MOVES = curve(
    key(1001, 0.0, "bezier", right=[4, 0.3]),
    key(1010, 1.5, "sine_in_out", left=[-2.5, -0.125], right=[1, 0]),
    key(1020.5, 3, "constant"),
    key(1031, 2.25, "linear"),
    key(1040, 0.1, "bezier", left=[-90, 1], right=[0.0, 5]),
    key(1050, 7.0000001, "elastic_out", amplitude=0.5, period=3.3),
    key(1060, 1e-7, "bounce_in", left=[-1, 2]),
    before="linear",
    after="cycle",
)

SHOT = graph(
    {
        "plate": node("MediaInput", {"path": "/shots/sh 010/plate.%04d.exr"}, {"x": -320.4, "y": 12}),
        "soft": node(
            "Blur", {"size": MOVES}, {"x": 0, "y": 100, "label": "[soft] $size", "color": [1, 0.5, 0]}, video="plate"
        ),
        "wave": node("ControlCurve", {"curve": curve(key(1, 0.25, "bezier"), key(9, 3))}),
        "mixed": node("Merge", {"mode": "screen", "mix": 1}, None, a="plate", b="soft", mix="wave"),
        "movie": node("FileOutput", {"path": SIGNS, "codec": "png16"}, {"label": ""}, video="mixed"),
    }
)

PROMPTS = graph(
    {
        "clip": node(
            "TI2VGenerator",
            {"prompt": SIGNS, "seed": 9223372036854775807, "guidance": 5, "shift": 5.25, "lora_strength": -0.1},
        ),
        "gate": node("QualityGate", {"least_motion": 0.25, "most_drift": None, "most_jerk": 3}, quality="judged"),
        "judged": node("ClipQuality", {"networks": False}, video="clip"),
    }
)

STRANGE = graph(
    {
        "end": node("Flip", {"horizontal": True}),
        "a/b c": node("Flip", None, None, video="end"),
        "1st": node("Blur", {"size": 900.5}, None, video="a/b c"),
        "海": node("Blur", {"size": "not a number"}, None, video="1st"),
        "root": node("Merge", {"mode": "nosuch", "mix": curve()}, None, a="nowhere", b=["1st", "mask"]),
        "Root": node("Blur", {"size": True, "unheard": [1, {"of": None}]}),
        "Root_2": node("Sparkle", {"glitter": 3, "much": True}, {"x": 5}, video="Root", extra=["海", "second"]),
        "old": {"type": "Blur", "version": 7, "params": {"radius": 3}, "inputs": {"picture": ["Root_2"]}},
        "bare": {"type": "Solid"},
        "whole": node("Solid", {"red": 1, "green": 0.5, "width": 64}),
        "names": node("TimelineOutput", {"name": "A name", "start": 12}, None, video="whole"),
    }
)

GLOW = {
    "name": "Glow",
    "version": 3,
    "category": "look",
    "doc": "Light spills over its edges.",
    "inputs": {
        "video": {"type": "VIDEO", "optional": False, "to": [["soft", "video"], ["light", "a"]]},
        "how much": {"type": "CONTROL", "optional": True, "to": [["light", "mix"]]},
    },
    "outputs": {
        "out": {"type": "VIDEO", "from": ["light", "out"]},
        "blurred": {"type": "VIDEO", "from": ["soft", "out"]},
    },
    "parameters": {
        "size": {"to": [["soft", "size"]], "maximum": 100},
        "name": {"to": [["light", "mode"]], "doc": "How.", "default": "add"},
        "unknown": {"to": [["sparkle", "glitter"]]},
    },
    "nodes": {
        "light": node("Merge", {"mode": "screen"}, None, b="soft", a="nothing"),
        "soft": node("Blur", {"size": 24.0}),
        "sparkle": node("Sparkle", {"glitter": 2}, None, video="light"),
        "nothing": node("Solid"),
    },
}
TWICE = {
    "name": "Twice",
    "version": 1,
    "category": "look",
    "doc": "",
    "inputs": {"in": {"type": "VIDEO", "optional": False, "to": [["one", "video"]]}},
    "outputs": {"out": {"type": "VIDEO", "from": ["two", "blurred"]}},
    "parameters": {"reach": {"to": [["one", "size"], ["two", "size"]]}},
    "nodes": {
        "one": {"type": "group:Glow", "version": 3, "params": {"size": 2.5}},
        "two": {"type": "group:Glow", "version": 3, "inputs": {"video": ["one", "out"]}},
    },
}
UNUSED = {**GLOW, "name": "Spare", "version": 1}
GROUPED = graph(
    {
        "plate": node("Solid", {"red": 0.5, "width": 32, "height": 32}),
        "glow": {
            "type": "group:Glow",
            "version": 3,
            "params": {"size": curve(key(1, 2), key(5, 8)), "name": "multiply"},
            "inputs": {"video": ["plate", "out"]},
        },
        "twice": {"type": "group:Twice", "version": 1, "inputs": {"in": ["glow", "blurred"]}, "ui": {"x": 1, "y": 2}},
        "again": {"type": "group:Twice", "version": 1, "params": {"reach": 9}, "inputs": {"in": ["twice", "out"]}},
        "lost": {"type": "group:Gone", "version": 2, "params": {"x": 1}, "inputs": {"video": ["again", "out"]}},
        "file": node("FileOutput", {"path": "out.%04d.exr"}, None, video="again"),
    },
    {"Glow@3": GLOW, "Twice@1": TWICE, "Spare@1": UNUSED},
)

EMPTY = graph({})


def saved() -> dict[str, Any]:
    """The documents that every release has to open."""
    found = {}
    for path in sorted(OLD.glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(told, dict) and told.get("format") == "artifexpro.graph":
            found[path.stem] = told
    return found


ALL = {
    "shot": SHOT,
    "prompts": PROMPTS,
    "strange": STRANGE,
    "grouped": GROUPED,
    "empty": EMPTY,
    **saved(),
}

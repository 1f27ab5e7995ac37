"""What is written is what Tcl and Lua read, word for word, and what they would write is read here."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifexpro.core.graph.curves import Curve
from artifexpro.hosts.bridge.motion import drawn, edited
from artifexpro.hosts.nuke import animation, gizmos, nktext
from artifexpro.hosts.resolve import macros, settingtext, splines
from tests.hosts.native import lua, tcl
from tests.hosts.native.documents import SIGNS

Catalogue = list[dict[str, Any]]
TCL = tcl.Tcl()
LUA = lua.LuaJIT()
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0", max_codepoint=0xFFFF), max_size=40)
"""Tcl 8.6 has no characters beyond the first plane of Unicode, which Nuke's own Tcl-like reader takes as they are."""


@given(TEXTS)
def test_a_word_for_tcl_is_what_was_meant(text: str) -> None:
    word = nktext.quoted(text)
    assert TCL.words(word) == [text]
    assert TCL.words("{" + word + "}") == [word], "inside braces, where a node's knobs are, it stays one word"
    assert nktext.commands(f"knob {word}") == [["knob", text]]


@given(st.lists(TEXTS, max_size=5))
def test_a_list_for_tcl_is_what_was_meant(texts: list[str]) -> None:
    (word,) = TCL.words(nktext.listed(texts))
    assert TCL.words(word) == texts
    assert nktext.words(word) == texts


@given(st.one_of(TEXTS, st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**50), 2**50)))
def test_a_value_for_lua_is_what_was_meant(value: Any) -> None:
    text = settingtext.written(value)
    assert LUA.text(text) == value
    assert settingtext.read(f"{{ {text} }}").listed() == [value]


def test_what_lua_takes_is_read() -> None:
    told = settingtext.read(
        "-- a comment\n{ Tools = ordered() { [\"end\"] = Fuse.Wireless { 1, -2.5e3; 'a\\065\\n', [[long]], "
        "Flags = { [0] = true, [1.5] = false } --[[ another\n]] } } }"
    )
    tool = told.table("Tools").table("end")
    assert (told.table("Tools").kind, tool.kind) == ("ordered()", "Fuse.Wireless")
    assert tool.listed() == [1, -2500.0, "aA\n", "long"]
    assert tool.table("Flags").items == [(0, True), (1.5, False)]


@pytest.mark.parametrize("name", ["Merge", "TI2VGenerator", "QualityGate", "ControlCurve", "FileOutput", "MaskedEdit"])
def test_a_gizmo_says_what_the_catalogue_says(name: str, catalogue: Catalogue) -> None:
    """As a real Tcl reads it: a knob for each parameter with its default, an arrow for each socket."""
    entry = next(each for each in catalogue if each["name"] == name)
    (group,) = tcl.Tcl().load(gizmos.gizmo(entry)).inside or ()
    specs = [TCL.words(spec) for spec in group.user]
    knobs = {spec[1]: spec for spec in specs}
    record = gizmos.reading.record(gizmos.reading.blocks(gizmos.gizmo(entry))[0], "artifexpro")
    for parameter in entry["parameters"]:
        handle = record["controls"][parameter["name"]]["handle"]
        assert handle in knobs and handle in group.knobs
        assert parameter["doc"] in knobs[handle][knobs[handle].index("t") + 1]
        if parameter["type"] == "choice":
            assert TCL.words(knobs[handle][knobs[handle].index("M") + 1]) == parameter["choices"]
            assert group.knobs[handle] == parameter["default"]
        if parameter["type"] == "string":
            assert group.knobs[handle] == parameter["default"]
        if parameter["type"] in ("int", "float") and parameter["default"] is not None:
            assert float(group.knobs[handle]) == parameter["default"]
    arrows = [node.knobs["name"] for node in group.inside or () if node.kind == "Input"]
    assert arrows == [socket["name"] for socket in entry["inputs"]]
    assert len(group.inputs) == len(arrows)
    assert any(node.kind == "Output" for node in group.inside or ()) == bool(entry["outputs"])
    assert "INVISIBLE" in specs[-1][-1], "our own data is not shown"


def test_every_gizmo_is_whole_tcl_and_every_macro_a_lua_table(catalogue: Catalogue) -> None:
    for entry in catalogue:
        (group,) = tcl.Tcl().load(gizmos.gizmo(entry)).inside or ()
        (tool,) = lua.LuaJIT().load(macros.macro(entry))["Tools"].named.values()
        assert group.kind == "Group" and tool.kind == "MacroOperator"
        assert len(tool["UserControls"].named if entry["parameters"] else {}) == len(entry["parameters"])
        assert len(tool["Outputs"].named) == len(entry["outputs"])


def test_a_macro_says_what_the_catalogue_says(catalogue: Catalogue) -> None:
    entry = next(each for each in catalogue if each["name"] == "Merge")
    tool = lua.LuaJIT().load(macros.macro(entry))["Tools/Merge"]
    mode, mix = tool["UserControls/mode"], tool["UserControls/mix"]
    assert [choice["CCS_AddString"] for choice in mode.listed] == ["over", "add", "screen", "multiply"]
    assert (mix["INP_Default"], mix["INP_MinAllowed"], mix["INP_MaxAllowed"]) == (1, 0, 1)
    assert [tool[f"Inputs/MainInput{at}/Name"] for at in (1, 2)] == ["a", "b"]
    router = tool["Outputs/MainOutput1/SourceOp"]
    assert tool["Tools"][router]["Inputs/Input/SourceOp"] == tool["Inputs/MainInput1/SourceOp"], (
        "it shows its first picture"
    )


# ------------------------------------------------------------------ curves


def _handle(sign: int) -> Any:
    return st.one_of(st.none(), st.tuples(st.floats(0.01, 30).map(lambda reach: reach * sign), st.floats(-20, 20)))


KEYS = st.lists(
    st.fixed_dictionaries(
        {
            "frame": st.integers(-50, 2000),
            "value": st.floats(-1000, 1000),
            "ease": st.sampled_from(["constant", "linear", "bezier"]),
        },
        optional={"left": _handle(-1), "right": _handle(1)},
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda key: key["frame"],
)


@settings(max_examples=60)
@given(KEYS)
def test_a_curve_moves_in_the_hosts_as_it_does_here(keys: list[dict[str, Any]]) -> None:
    """Read back from the text alone, without the record: the same value at every frame."""
    told = {"curve": {"keys": keys}}
    motion = drawn(told)
    assert motion is not None
    meant = Curve.parse(edited(None, motion))
    curve = Curve.parse(told)
    texts = {
        "nuke": animation.read(animation.written(motion), "size", "soft"),
        "fusion": splines.read(settingtext.read(settingtext.written(splines.written(motion))), "size", "soft"),
    }
    first, last = min(key["frame"] for key in keys), max(key["frame"] for key in keys)
    for host, read in texts.items():
        there = Curve.parse(edited(None, read))
        for frame in range(first, last + 1, max(1, (last - first) // 50)):
            assert there.at(frame) == pytest.approx(curve.at(frame), rel=1e-6, abs=1e-5), (host, frame)
            assert meant.at(frame) == pytest.approx(curve.at(frame), rel=1e-6, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "frames", "values"),
    [
        ("curve x1001 1 2 3", (1001, 1002, 1003), (1, 2, 3)),
        ("curve x1 0 x11 5 7", (1, 11, 21), (0, 5, 7)),
        ("curve i K x5 1", (5,), (1,)),
        ("curve 4 5", (0, 1), (4, 5)),
    ],
)
def test_nukes_short_forms_are_read(text: str, frames: tuple[float, ...], values: tuple[float, ...]) -> None:
    motion = animation.read(text, "size", "soft")
    assert tuple(key.frame for key in motion) == frames and tuple(key.value for key in motion) == values


def test_a_smooth_key_without_slopes_is_flat_on_its_peak() -> None:
    before, peak, after = animation.read("curve x0 0 x10 5 x20 1", "size", "soft")
    assert (peak.left, peak.right) == ((-10 / 3, 0.0), (10 / 3, 0.0))
    rising = animation.read("curve x0 0 x10 5 x20 7", "size", "soft")[1]
    assert rising.right == pytest.approx((10 / 3, 0.35 * 10 / 3))
    assert before.right is not None and after.left is not None


def test_signs_of_all_kinds_are_told_apart() -> None:
    assert nktext.commands(f"prompt {nktext.quoted(SIGNS)}\nother 1")[1] == ["other", "1"]

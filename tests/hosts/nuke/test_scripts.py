"""Every script the adapter writes is Tcl that a real interpreter reads as it was meant."""

from __future__ import annotations

import sys
import tkinter
from types import ModuleType
from typing import Any

import pytest


class Judge:
    """A real Tcl interpreter that takes down what a script says, beside the stand-in's own reader.

    `wires` has, after `script`, by node the names of those it takes from, its first input first.
    """

    def __init__(self) -> None:
        self._tcl = tkinter.Tcl()
        self._heard: list[tuple[str, ...]] = []
        self.wires: dict[str, list[str]] = {}
        self._tcl.createcommand("hear", self._hear)
        self._tcl.createcommand("push", self._push)
        self._tcl.createcommand("stack", self._stack)
        self._tcl.createcommand("end_group", lambda: "")
        self._tcl.eval("proc unknown args {hear {*}$args}")
        self._stacked: list[str] = []

    def words(self, text: str) -> list[str]:
        """The elements of a list."""
        self._tcl.setvar("given", text)
        count = int(self._tcl.eval("llength $given"))
        return [self._tcl.eval(f"lindex $given {index}") for index in range(count)]

    def command(self, text: str) -> list[tuple[str, ...]]:
        """Evaluate a script: every command that Tcl itself does not know, with its words."""
        self._heard = []
        self._tcl.eval(text)
        return list(self._heard)

    def script(self, text: str) -> list[tuple[str, list[tuple[str, str]]]]:
        """The node blocks of a script, each with its knobs in order."""
        self.wires, self._stacked = {}, []
        blocks = []
        for kind, body in self.command(text):
            words = self.words(body)
            assert len(words) % 2 == 0, f"{kind} has a knob without a value: {words[-1]}"
            blocks.append((kind, list(zip(words[::2], words[1::2], strict=True))))
        return blocks

    def _hear(self, *words: Any) -> str:
        self._heard.append(tuple(str(word) for word in words))
        if len(words) == 2 and words[0] != "take":
            knobs = self.words(str(words[1]))
            said = dict(zip(knobs[::2], knobs[1::2], strict=False))
            name = said.get("name", str(words[0]))
            taken = [self._stacked.pop() for _ in range(int(said.get("inputs", "1")))]
            if taken:
                self.wires[name] = taken
            self._stacked.append(name)
        return ""

    def _push(self, what: str) -> str:
        self._stacked.append(str(what))
        return ""

    def _stack(self, index: str) -> str:
        return self._stacked[-1 - int(index)]


@pytest.fixture(scope="module")
def made(newest, tmp_path_factory) -> dict[str, Any]:
    found: dict[str, Any] = newest(tmp_path_factory.mktemp("scripts")).act("every_node")
    return found


def test_each_node_of_the_catalogue_becomes_a_group_or_says_why(made, catalogue):
    assert len(made["made"]) + len(made["refused"]) == len(catalogue)
    assert {"Blur1", "Merge1", "ColorCorrector1", "ApplyMatte1"} <= set(made["made"])
    assert "a Wan node does" in made["refused"]["MaskedEdit"]
    others = {name: said for name, said in made["refused"].items() if "a Wan node does" not in said}
    assert {"AudioInput", "MatteFrom", "FileOutput", "FrameHold"} <= set(others)
    assert all("pictures from pictures" in said for said in others.values())


def test_knobs_begin_at_the_catalogues_values(made):
    for node, knobs in made["made"].items():
        for knob, (default, value) in knobs.items():
            if default is None:
                assert value == "", f"{node}.{knob}"
            elif isinstance(default, float):
                assert value == pytest.approx(default, rel=1e-6), f"{node}.{knob}"
            else:
                assert str(value) == str(default), f"{node}.{knob}"


def test_they_are_the_same_after_saving_and_opening(made):
    assert made["complete"] is True
    for node, knobs in made["made"].items():
        assert {knob: value for knob, (_, value) in knobs.items()} == made["again"][node]


def test_each_group_is_read_block_by_block_as_meant(catalogue, nuke_text):
    """The text itself, before any Nuke: its blocks, its knobs, the stack, and the wires inside."""
    judge = Judge()
    blocks = judge.script(nuke_text)
    kinds = [kind for kind, _ in blocks]
    assert kinds == [
        "Group",
        "Input",
        "Input",
        "Input",
        "Read",
        "Reformat",
        "Copy",
        "Premult",
        "Merge2",
        "Switch",
        "Output",
    ]
    group = blocks[0][1]
    declared = [judge.words(value) for name, value in group if name == "addUserKnob"]
    names = [words[1] for words in declared]
    assert len(names) == len(set(names))
    by_name = {each["name"]: each for each in catalogue}
    wanted = {each["name"] for each in by_name["MaskedEdit"]["parameters"]} - {"frames", "first_frame"}
    assert wanted <= set(names)
    task = next(words for words in declared if words[1] == "task")
    assert judge.words(task[task.index("M") + 1]) == ["text", "picture", "between", "style", "mask"]
    seed = next(words for words in declared if words[1] == "seed")
    assert seed[0] == "1", "a seed has 63 bits and Nuke's whole numbers 32"
    assert judge.wires == {
        "fitted": ["result"],
        "alpha_of_roto": ["fitted", "roto"],
        "matted": ["alpha_of_roto"],
        "over_plate": ["plate", "matted"],
        "shown": ["plate", "result", "matted", "over_plate"],
        "Output1": ["shown"],
    }


@pytest.fixture
def nuke_text(catalogue, monkeypatch) -> str:
    """A Wan node's text. It is made without Nuke: the module that writes it asks Nuke nothing."""
    monkeypatch.setitem(sys.modules, "nuke", ModuleType("nuke"))
    from artifexpro.hosts.nuke import making, tasks

    return making.group_text("Wan", "0" * 32, tasks.wan({each["name"]: each for each in catalogue}), 1001, 1041)

"""The catalogue as controls: every parameter of every node has one, and groups are described as the daemon does it."""

from __future__ import annotations

from typing import Any

import pytest

from artifexpro.core.graph.document import Document
from artifexpro.core.nodes import library
from artifexpro.core.nodes.catalogue import group_entry as described
from artifexpro.hosts.bridge import catalogue as bridge
from artifexpro.hosts.bridge.errors import BridgeError
from tests.hosts.native.documents import ALL, GLOW, GROUPED

Catalogue = list[dict[str, Any]]


def test_every_parameter_of_every_node_has_a_control(catalogue: Catalogue) -> None:
    for entry in catalogue:
        found = bridge.controls(entry)
        assert [control.name for control in found] == [parameter["name"] for parameter in entry["parameters"]]
        for control, parameter in zip(found, entry["parameters"], strict=True):
            assert control.shown(parameter["default"]) == control.default
            assert control.doc.startswith(parameter["doc"])
    kinds = {control.kind for entry in catalogue for control in bridge.controls(entry)}
    assert kinds == {"number", "whole", "tick", "choice", "text", "lines", "file", "digits", "optional", "motion"}


def test_a_group_is_described_as_the_daemon_does_it(catalogue: Catalogue) -> None:
    known = bridge.by_name(catalogue)
    looked_at = 0
    for told in ALL.values():
        document = Document.parse(told)
        for key, group in document.groups.items():
            if any(pin.node == "sparkle" for parameter in group.parameters.values() for pin in parameter.to):
                continue
            ours = bridge.group_entry(told["groups"][key], told["groups"], known)
            theirs = described(group, document.groups, library())
            assert ours["parameters"] == theirs["parameters"]
            assert (ours["inputs"], ours["category"], ours["doc"]) == (
                theirs["inputs"],
                theirs["category"],
                theirs["doc"],
            )
            looked_at += 1
    assert looked_at >= 3


def test_what_leads_to_a_node_unknown_here_has_no_control(catalogue: Catalogue) -> None:
    entry = bridge.group_entry(GLOW, GROUPED["groups"], bridge.by_name(catalogue))
    assert [parameter["name"] for parameter in entry["parameters"]] == ["size", "name"]
    assert (entry["parameters"][0]["default"], entry["parameters"][0]["maximum"]) == (24.0, 100)
    assert (entry["parameters"][1]["default"], entry["parameters"][1]["doc"]) == ("add", "How.")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("optional", "", None),
        ("optional", " 3 ", 3),
        ("optional", "0.5", 0.5),
        ("digits", str(2**63 - 1), 2**63 - 1),
    ],
)
def test_numbers_shown_as_text_are_read(kind: str, text: str, value: Any) -> None:
    assert bridge.Control("seed", kind, "").value(text, None, "clip") == value


@pytest.mark.parametrize(
    ("kind", "text"), [("optional", "few"), ("optional", "nan"), ("digits", ""), ("digits", "1.5")]
)
def test_other_texts_are_refused_with_the_control_and_the_node(kind: str, text: str) -> None:
    with pytest.raises(BridgeError, match=r"Attempted to read Most jerk of gate\. Failed because .* Try "):
        bridge.Control("most_jerk", kind, "").value(text, None, "gate")


def test_a_whole_number_that_may_be_empty_is_whole(catalogue: list[dict[str, Any]]) -> None:
    remap = next(entry for entry in catalogue if entry["name"] == "TimeRemap")
    first = next(control for control in bridge.controls(remap) if control.name == "first")
    assert first.value(" 1001 ", None, "remap") == 1001 and first.value("", None, "remap") is None
    with pytest.raises(BridgeError, match=r"\"1001\.5\" is not a whole number or nothing\. Try "):
        first.value("1001.5", None, "remap")

"""A folder of old files that open for ever. It only grows: the number at the front of a name is the file's format.

A file is added when the format grows or a release is made, with its line in `manifest.json`; none is ever edited.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.definition import GroupFile
from artifexpro.core.graph.document import Document, NodeRecord, Wire
from artifexpro.core.graph.groups import flatten
from artifexpro.core.graph.kinds import FrameNode
from artifexpro.core.graph.migrate import Migration, changed, in_turn, removed_param, renamed_input, renamed_param
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.registry import Registry
from artifexpro.core.graph.values import SocketType
from artifexpro.core.nodes import library

OLD = Path(__file__).with_name("old")
MANIFEST = json.loads((OLD / "manifest.json").read_text(encoding="utf-8"))
GRAPHS = sorted(name for name in MANIFEST if "group-file" not in name)


class Soft(FrameNode):
    """Was called Haze; its size was a diameter, called width; its input was called image."""

    category: ClassVar[str] = "effect"
    version: ClassVar[int] = 3
    formerly: ClassVar[tuple[str, ...]] = ("Haze",)
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    size: float = parameter(5.0, "How soft.", minimum=0, maximum=100, animatable=True)
    migrations: ClassVar[Mapping[int, Migration]] = {
        1: in_turn(renamed_param("width", "size"), renamed_input("image", "video")),
        2: in_turn(changed("size", lambda width: width / 2, default=10.0), removed_param("quality")),
    }


def graph(name: str) -> Document:
    return Document.loads((OLD / name).read_bytes())


def test_the_folder_only_grows():
    there = {path.name for path in OLD.iterdir()} - {"manifest.json"}
    assert there == set(MANIFEST), "a file without a line in manifest.json, or the other way round"
    for name, digest in MANIFEST.items():
        assert hashlib.sha256((OLD / name).read_bytes()).hexdigest() == digest, f"{name} was edited"
    first = {"1-demo.json", "1-every-node.json", "1-group-file.json", "1-old-nodes.json", "1-slash-in-id.json"}
    assert first | {"1-unknown-node.json", "2-groups.json"} <= there


@pytest.mark.parametrize("name", GRAPHS)
def test_a_file_opens_with_all_that_is_in_it(name: str):
    document = graph(name)
    said = json.loads((OLD / name).read_bytes())
    assert document.to_json() == said
    assert list(document.nodes) == list(said["nodes"])
    assert Document.loads(document.dumps()) == document


def test_the_first_demo_runs(tmp_path: Path):
    plan = compile_graph(graph("1-demo.json"), library(), tmp_path)
    names = [step.document_node for step in plan.steps]
    assert names[0] == "clip" and set(names) == {"clip", "movie", "frames", "timeline", "sheet", "picture"}
    clip = plan.steps[plan.index["clip"]].node
    assert (clip.prompt, clip.seed, clip.frames) == ("a red kite over the sea, späte Sonne", 3, 17)
    assert len(plan.sinks()) == 4


def test_every_node_of_the_first_release_is_still_what_it_was(tmp_path: Path):
    """A parameter that got another name or range needs a migration: this graph has all of them."""
    document = graph("1-every-node.json")
    plan = compile_graph(document, library(), tmp_path)
    assert {step.document_node for step in plan.steps} == set(document.nodes)
    for name, record in document.nodes.items():
        node = plan.steps[plan.index[name]].node
        assert node.type_name() == record.type
        if node.version == record.version:
            kept = node.model_dump()
            assert {param: kept[param] for param in record.params} == dict(record.params)


def test_an_unknown_node_stays_in_its_place(tmp_path: Path):
    document = graph("1-unknown-node.json")
    assert document.nodes["später"] == NodeRecord(
        "FromAnotherPackage",
        7,
        {"anything": [1, {"deep": None}], "curve": {"keys": []}},
        {"left/eye": Wire("plate", "matte")},
        {"colour": "#f80"},
    )
    plan = compile_graph(document, library(), tmp_path, strict=False)
    assert [problem.node for problem in plan.problems] == ["später"]
    assert set(plan.index) == {"plate", "soft"}


def test_an_id_with_a_slash_is_one_of_format_1(tmp_path: Path):
    plan = compile_graph(graph("1-slash-in-id.json"), library(), tmp_path)
    assert set(plan.index) == {"shots/sh010", "soft"}


def test_old_nodes_are_brought_up_to_date(registry: Registry, tmp_path: Path):
    plan = compile_graph(graph("1-old-nodes.json"), Registry([*registry, Soft]), tmp_path, strict=False)
    assert [problem.node for problem in plan.problems] == ["later"]
    assert set(plan.index) == {"plate", "haze", "moving", "end"}
    assert plan.steps[plan.index["haze"]].node == Soft(size=4.0)
    moving = plan.steps[plan.index["moving"]].moving["size"]
    assert [moving.at(frame) for frame in (1, 9)] == [4.0, 1.0]
    assert moving.keys[0].right == (2.0, -2.0)


def test_groups_are_opened(tmp_path: Path):
    document = graph("2-groups.json")
    curve = document.nodes["dream"].params["much"]
    flat = flatten(document)
    assert flat.problems == []
    assert {name: (record.type, record.params, record.inputs) for name, record in flat.records.items()} == {
        "plate": ("MediaInput", {"path": "plates/sh010.%04d.exr"}, {}),
        "dream/near/soft": ("Blur", {"size": 6.0}, {"video": Wire("plate")}),
        "dream/near/light": (
            "Merge",
            {"mode": "screen", "mix": curve},
            {"a": Wire("plate"), "b": Wire("dream/near/soft")},
        ),
        "dream/far/soft": ("Blur", {"size": 60.0}, {"video": Wire("dream/near/light")}),
        "dream/far/light": (
            "Merge",
            {"mode": "screen", "mix": curve},
            {"a": Wire("dream/near/light"), "b": Wire("dream/far/soft")},
        ),
        "glow/soft": ("Blur", {"size": 12.0}, {"video": Wire("dream/far/light")}),
        "glow/light": (
            "Merge",
            {"mode": "screen", "mix": 0.3},
            {"a": Wire("dream/far/light"), "b": Wire("glow/soft")},
        ),
        "spill": ("FileOutput", {"path": "spill.mp4"}, {"video": Wire("glow/soft")}),
        "out": ("FileOutput", {"path": "out.mp4"}, {"video": Wire("glow/light")}),
    }
    assert len(compile_graph(document, library(), tmp_path).sinks()) == 2


def test_a_group_file_opens():
    text = (OLD / "1-group-file.json").read_bytes()
    file = GroupFile.loads(text)
    assert file.to_json() == json.loads(text)
    assert (file.group.key, list(file.groups)) == ("Dream@2", ["Glow@1"])
    assert Document().with_group(file).groups == graph("2-groups.json").groups

"""Old versions of nodes: what was saved by them is read as they meant it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.curves import Curve
from artifexpro.core.graph.definition import Group, GroupOutput, GroupParameter, Pin
from artifexpro.core.graph.document import Document, NodeRecord, Wire
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.groups import flatten
from artifexpro.core.graph.kinds import FrameNode
from artifexpro.core.graph.migrate import (
    Migration,
    changed,
    in_turn,
    migrate,
    removed_param,
    renamed_input,
    renamed_param,
    unchanged,
    upgraded,
)
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.registry import Registry
from artifexpro.core.graph.values import SocketType
from artifexpro.core.nodes.catalogue import group_entry


def _spoil(record: NodeRecord) -> NodeRecord:
    record.params["size"] = "spoilt"
    raise ValueError("nobody knows how")


class Soft(FrameNode):
    """Was called Haze; its size was a diameter, called width; its input was called image."""

    category: ClassVar[str] = "effect"
    version: ClassVar[int] = 4
    formerly: ClassVar[tuple[str, ...]] = ("Haze", "Fog")
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    size: float = parameter(5.0, "How soft.", minimum=0, maximum=100, animatable=True)
    migrations: ClassVar[Mapping[int, Migration]] = {
        1: in_turn(renamed_param("width", "size"), renamed_input("image", "video")),
        2: in_turn(changed("size", lambda width: width / 2, default=20.0), removed_param("quality")),
        3: unchanged,
    }


class Gap(FrameNode):
    """Forgot how version 1 became version 2."""

    category: ClassVar[str] = "effect"
    version: ClassVar[int] = 3
    migrations: ClassVar[Mapping[int, Migration]] = {2: unchanged}


class Failing(FrameNode):
    """Fails on its way, having touched what it was given."""

    category: ClassVar[str] = "effect"
    version: ClassVar[int] = 2
    size: float = parameter(5.0, "How much.")
    migrations: ClassVar[Mapping[int, Migration]] = {1: _spoil}


OLD = NodeRecord("Haze", 1, {"width": 8.0, "quality": "high"}, {"image": Wire("plate")}, {"x": 3})


def test_all_steps_are_taken():
    assert migrate("haze", OLD, Soft) == NodeRecord("Soft", 4, {"size": 4.0}, {"video": Wire("plate")}, {"x": 3})


def test_a_record_of_this_version_is_handed_back():
    record = NodeRecord("Soft", 4, {"size": 1.0})
    assert migrate("soft", record, Soft) is record


def test_a_former_name_alone_changes_no_version():
    assert migrate("soft", NodeRecord("Fog", 4), Soft) == NodeRecord("Soft", 4)


def test_what_was_left_to_the_old_default_stays_as_it_was():
    assert migrate("soft", NodeRecord("Soft", 2), Soft).params == {"size": 10.0}


def test_a_curve_changes_with_its_handles():
    keys = [
        {"frame": 1, "value": 8.0, "ease": "bezier", "left": [-2, -2.0], "right": [2, 4.0]},
        {"frame": 9, "value": 2.0, "ease": "elastic_out", "amplitude": 1.0, "period": 3.0},
        {"frame": 12, "value": 4.0},
    ]
    old = {"curve": {"keys": keys, "after": "linear"}}
    new = migrate("soft", NodeRecord("Soft", 2, {"size": old}), Soft).params["size"]
    before, after = Curve.parse(old), Curve.parse(new)
    assert [after.at(frame / 2) for frame in range(40)] == pytest.approx(
        [before.at(frame / 2) / 2 for frame in range(40)]
    )


def test_a_control_goes_where_its_parameter_went_unless_the_meaning_changed():
    driven = NodeRecord("Haze", 1, {}, {"width": Wire("lfo")})
    assert renamed_param("width", "size")(driven).inputs == {"size": Wire("lfo")}
    with pytest.raises(NodeError, match="means something else since and a control drives it"):
        migrate("soft", driven, Soft)


@pytest.mark.parametrize(
    ("record", "declaration", "words"),
    [
        (NodeRecord("Soft", 5), Soft, "saved by version 5 of Soft and version 4 is here.*updating"),
        (NodeRecord("Gap", 1), Gap, "from version 1 of Gap to version 3.*how version 1 becomes version 2"),
        (NodeRecord("Failing", 1), Failing, "from version 1 of Failing to version 2.*nobody knows how"),
    ],
)
def test_what_cannot_be_brought_up_to_date_is_refused_at_its_node(record, declaration, words):
    with pytest.raises(NodeError, match=words) as caught:
        migrate("shot", record, declaration)
    assert caught.value.node == "shot"


def test_a_failing_step_leaves_the_document_alone():
    graph = Document({"f": NodeRecord("Failing", 1, {"size": 2.0}), "s": OLD, "x": NodeRecord("Alien", 9)})
    new, problems = upgraded(graph, Registry([Soft, Failing]))
    assert [problem.node for problem in problems] == ["f"]
    assert new.nodes["f"] is graph.nodes["f"] and graph.nodes["f"].params == {"size": 2.0}
    assert new.nodes["x"] is graph.nodes["x"]
    assert new.nodes["s"].type == "Soft" and graph.nodes["s"].params == {"width": 8.0, "quality": "high"}


def test_a_graph_with_old_nodes_compiles(registry: Registry, tmp_path: Path):
    nodes = Registry([*registry, Soft, Gap])
    graph = Document({"plate": NodeRecord("Ramp"), "s": OLD, "g": NodeRecord("Gap", 1)})
    plan = compile_graph(graph, nodes, tmp_path, strict=False)
    assert [problem.node for problem in plan.problems] == ["g"]
    assert plan.steps[plan.index["s"]].node == Soft(size=4.0)


def test_a_group_may_expose_what_an_old_node_had(tmp_path: Path):
    group = Group(
        "Misty",
        nodes={"old": NodeRecord("Haze", 1, {"width": 30.0})},
        outputs={"out": GroupOutput("VIDEO", Wire("old"))},
        parameters={"width": GroupParameter((Pin("old", "width"),))},
    )
    graph = Document({"g": NodeRecord("group:Misty", params={"width": 12.0})}, {group.key: group})
    record = flatten(graph).records["g/old"]
    assert migrate("g/old", record, Soft).params == {"size": 6.0}
    (told,) = group_entry(group, {}, Registry([Soft]))["parameters"]
    assert (told["name"], told["maximum"]) == ("width", 100)


def test_the_registry_finds_a_node_by_what_it_was_called():
    nodes = Registry([Soft])
    assert nodes.get("Soft") is nodes.get("Haze") is nodes.get("Fog") is Soft
    assert len(nodes) == 1


@pytest.mark.parametrize("formerly", [("Soft",), ("Haze",), ("Mist", "Mist")])
def test_two_nodes_of_one_name_are_a_defect(formerly):
    other = type(
        "Other", (Gap,), {"__doc__": "Another.", "formerly": formerly, "__annotations__": {"formerly": ClassVar}}
    )
    with pytest.raises(ValueError, match=f"called {formerly[0]}"):
        Registry([Soft, other])


def test_a_former_name_is_not_inherited():
    softer = type("Softer", (Soft,), {"__doc__": "Softer."})
    assert Registry([Soft, softer]).get("Haze") is Soft

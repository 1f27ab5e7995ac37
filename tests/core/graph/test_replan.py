"""After an edit only what depends on it runs again: what a slider feels like."""

from __future__ import annotations

import pytest
import torch

from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.engine import Engine
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.layout import LONGEST
from artifexpro.core.graph.values import FrameRequest

LOOK = FrameRequest(5)


def line(count: int) -> dict[str, tuple]:
    """a -> n1 -> ... -> n`count`, each adding 1."""
    nodes: dict[str, tuple] = {"n0": ("Ramp", {}, {})}
    for at in range(1, count + 1):
        nodes[f"n{at}"] = ("Add", {"amount": 1.0}, {"plate": f"n{at - 1}"})
    return nodes


def look(graph: Evaluator, node: str, request: FrameRequest = LOOK) -> float:
    return float(graph.frame(graph.plan.at(node), request, viewer=True).pixels.mean())


def ran_since(graph: Evaluator, before: list[int]) -> list[str]:
    return [step.name for step, now, was in zip(graph.plan.steps, graph.runs, before, strict=True) if now > was]


def edit(graph: Evaluator, node: str, **params: object) -> None:
    graph.replan(graph.plan.with_params(node, **params))


def test_asking_again_runs_nothing(bench):
    graph = bench.evaluator(**line(5))
    assert look(graph, "n5") == 10
    before = list(graph.runs)
    assert look(graph, "n5") == 10
    assert ran_since(graph, before) == []


def test_a_drag_runs_the_node_and_what_follows(bench):
    graph = bench.evaluator(**line(6))
    graph.focus("n4")
    look(graph, "n6")
    for amount in (2.0, 3.0, 4.0):
        before = list(graph.runs)
        edit(graph, "n4", amount=amount)
        assert look(graph, "n6") == 10 + amount
        assert ran_since(graph, before) == ["n4", "n5", "n6"]


def test_going_back_to_a_former_value_runs_nothing(bench):
    graph = bench.evaluator(**line(3))
    graph.focus("n2")
    look(graph, "n3")
    edit(graph, "n2", amount=7.0)
    look(graph, "n3")
    edit(graph, "n2", amount=1.0)
    before = list(graph.runs)
    assert look(graph, "n3") == 8
    assert ran_since(graph, before) == []


def test_other_frames_see_the_edit_too(bench):
    graph = bench.evaluator(**line(3))
    look(graph, "n3", FrameRequest(1))
    edit(graph, "n1", amount=5.0)
    assert look(graph, "n3", FrameRequest(1)) == 1 + 5 + 2
    assert look(graph, "n3", FrameRequest(2)) == 2 + 5 + 2


def test_a_node_that_becomes_identity_and_back(bench):
    graph = bench.evaluator(**line(3))
    look(graph, "n3")
    edit(graph, "n2", amount=0.0)
    assert look(graph, "n3") == 7
    edit(graph, "n2", amount=4.0)
    assert look(graph, "n3") == 11


def test_a_source_that_changes_its_range(bench):
    graph = bench.evaluator(**line(2))
    look(graph, "n2")
    edit(graph, "n0", length=3)
    with pytest.raises(NodeError, match="frames 1 to 3"):
        look(graph, "n2")
    assert look(graph, "n2", FrameRequest(3)) == 5


def test_a_source_that_becomes_a_still(bench):
    graph = bench.evaluator(**line(2))
    look(graph, "n2")
    edit(graph, "n0", still=True)
    assert look(graph, "n2", FrameRequest(400)) == 3


def test_a_graph_that_changed_its_wires_starts_at_what_was_kept(bench):
    graph = bench.evaluator(**line(4))
    graph.focus("n4")
    look(graph, "n4")
    longer = bench.document(**line(5))
    graph.replan(compile_graph(longer, bench.registry, bench.context.models))
    assert look(graph, "n5") == 10
    assert ran_since(graph, [0] * 6) == ["n4", "n5"]


def test_two_viewers_of_one_engine_share_what_is_equal(bench):
    engine = Engine()
    plan = bench.plan(**line(4))
    mine, theirs = (Evaluator(plan, bench.context, engine) for _ in range(2))
    look(mine, "n4")
    look(theirs, "n4")
    assert sum(theirs.runs) == 0


def test_an_edit_in_a_long_line_meets_a_kept_picture_soon(bench):
    count = 4 * LONGEST
    graph = bench.evaluator(**line(count))
    look(graph, f"n{count}")
    before = list(graph.runs)
    edit(graph, f"n{count}", amount=2.0)
    assert look(graph, f"n{count}") == 5 + count + 1
    assert len(ran_since(graph, before)) <= LONGEST


def test_an_edit_that_is_refused_leaves_the_graph_as_it_was(bench):
    graph = bench.evaluator(**line(2))
    with pytest.raises(Exception, match="less than or equal to 100"):
        edit(graph, "n1", amount=1000.0)
    assert look(graph, "n2") == 7


def test_pictures_are_shared_and_never_changed(bench):
    graph = bench.evaluator(**line(2))
    first = graph.frame(graph.plan.at("n2"), LOOK, viewer=True).pixels.clone()
    edit(graph, "n1", amount=9.0)
    look(graph, "n2")
    edit(graph, "n1", amount=1.0)
    assert torch.equal(graph.frame(graph.plan.at("n2"), LOOK, viewer=True).pixels, first)

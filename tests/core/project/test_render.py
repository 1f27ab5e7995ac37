from __future__ import annotations

import ast

import pytest

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.registry import Registry
from artifexpro.core.project import render
from artifexpro.core.protocol import FrameRange, JobRequest, Target

RAMP = {"type": "Ramp"}


def keep(source: str, path: str) -> dict:
    return {"type": "Keep", "params": {"path": path}, "inputs": {"video": [source]}}


def request(nodes: dict, **more) -> JobRequest:
    document = {"format": "artifexpro.graph", "version": 1, "nodes": nodes}
    work = {"kind": "graph", "document": document, **more.pop("work", {})}
    return JobRequest.model_validate({"key": "key-of-a-test", "work": work, **more})


@pytest.fixture(autouse=True)
def test_nodes(monkeypatch, registry):
    monkeypatch.setattr(render, "library", lambda: registry)


def test_every_sink_is_written_and_told(context, tmp_path):
    job = request({"a": RAMP, "one": keep("a", "one.txt"), "two": keep("a", "two.txt")})
    result = render.render_graph(job, context)
    assert [artefact.path for artefact in result.artefacts] == ["one.txt", "two.txt"]
    assert ast.literal_eval((tmp_path / "two.txt").read_text()) == list(range(1, 11))
    assert result.stages[-1].name == "total"


def test_a_failing_branch_does_not_stop_the_others(context, tmp_path):
    broken = {"type": "Broken", "inputs": {"plate": ["a"]}}
    job = request({"a": RAMP, "bad": broken, "one": keep("bad", "one.txt"), "two": keep("a", "two.txt")})
    with pytest.raises(NodeError) as caught:
        render.render_graph(job, context)
    assert caught.value.node == "bad"
    assert (tmp_path / "two.txt").exists()
    assert not (tmp_path / "one.txt").exists()


def test_a_cancelled_job_writes_no_further_sink(context, tmp_path):
    def check() -> None:
        raise Cancelled

    context.check = check
    with pytest.raises(Cancelled):
        render.render_graph(request({"a": RAMP, "one": keep("a", "one.txt")}), context)
    assert not (tmp_path / "one.txt").exists()


def test_a_graph_that_writes_nothing_is_refused(tmp_path):
    with pytest.raises(ArtifexError, match="nothing in it writes"):
        render.check_graph(request({"a": RAMP}), tmp_path)


def test_a_graph_with_problems_is_refused_before_work(tmp_path):
    with pytest.raises(GraphError, match="Rmap"):
        render.check_graph(request({"a": {"type": "Rmap"}, "one": keep("a", "one.txt")}), tmp_path)


def test_handles_widen_the_range():
    work = {"frames": {"first": 10, "last": 20}}
    target = Target(host="blender", handles=4).model_dump()
    assert render.frames_to_write(request({"a": RAMP}, work=work, target=target)) == FrameRange(first=6, last=24)
    assert render.frames_to_write(request({"a": RAMP}, work=work)) == FrameRange(first=10, last=20)
    assert render.frames_to_write(request({"a": RAMP}, target=target)) is None


def test_the_recipe_says_what_decides_the_pictures_and_nothing_else(context):
    job = request({"a": RAMP, "one": keep("a", "one.txt")}, title="my job")
    recipe = render.render_graph(job, context).recipe
    assert recipe["graph"] == job.work.document | {
        "nodes": {
            "a": {"type": "Ramp", "version": 1},
            "one": {**keep("a", "one.txt"), "version": 1, "inputs": {"video": ["a", "out"]}},
        }
    }
    assert recipe["color"]["space_out"] == "ACEScg"
    assert recipe["versions"]["torch"]
    assert "my job" not in str(recipe)
    assert job.key not in str(recipe)


@pytest.mark.parametrize("chosen", [{"config": "ocio://default"}, {"space_in": "ACEScct"}, {"ceiling": 16.3}])
def test_a_colour_contract_that_would_not_act_is_refused(tmp_path, chosen):
    name, value = next(iter(chosen.items()))
    with pytest.raises(ArtifexError, match=name) as caught:
        render.check_graph(request({"a": RAMP, "one": keep("a", "one.txt")}, color=chosen), tmp_path)
    assert str(value) in str(caught.value)


def left_out(context, nodes: dict) -> tuple[str, ...]:
    job = request({"a": RAMP, "one": keep("a", "one.txt"), **nodes})
    render.check_graph(job, context.models)
    result = render.render_graph(job, context)
    assert [artefact.path for artefact in result.artefacts] == ["one.txt"]
    return result.notes


def test_a_stray_node_with_a_problem_is_left_out_and_told(context):
    sum_of = {"type": "Sum", "inputs": {"a": ["lost"]}}
    notes = left_out(context, {"lost": {"type": "Add", "inputs": {"plate": ["gone"]}}, "more": sum_of})
    assert len(notes) == 1
    assert notes[0].startswith("Nodes lost, more were left out: lost could not ")
    assert '"gone"' in notes[0]


@pytest.mark.parametrize(
    "stray",
    [
        {"type": "Add"},
        {"type": "Add", "params": {"amount": 1e9}, "inputs": {"plate": ["a"]}},
        {"type": "Add", "inputs": {"plate": ["stray"]}},
        {"type": "Add", "params": {"much": 1}, "inputs": {"plate": ["a"]}},
    ],
)
def test_no_problem_of_a_stray_node_stops_a_job(context, stray):
    (note,) = left_out(context, {"stray": stray})
    assert note.startswith("Node stray was left out: it could not ")


def test_a_stray_node_that_preflight_refuses_is_left_out(context, monkeypatch, registry):
    class Refused(registry.get("Ramp")):
        """A plate that is gone."""

        def preflight(self, context):
            raise ArtifexError("read the plate", "it is gone", "another")

        def provenance(self, models):
            raise AssertionError("asked what a stray node works with")

    monkeypatch.setattr(render, "library", lambda: Registry((*registry, Refused)))
    (note,) = left_out(context, {"stray": {"type": "Refused"}})
    assert note == "Node stray was left out: it could not read the plate, because it is gone."
    with pytest.raises(GraphError, match="it is gone"):
        render.check_graph(request({"stray": {"type": "Refused"}, "two": keep("stray", "two.txt")}), context.models)


def test_an_unknown_node_that_something_reads_is_no_sink(context):
    unknown = {"type": "Rmap"}
    notes = left_out(context, {"odd": unknown, "end": {"type": "Add", "inputs": {"plate": ["odd"]}}})
    assert "Nodes odd, end were left out" in notes[0]


@pytest.mark.parametrize(
    "nodes",
    [
        {"odd": {"type": "PrintTo", "inputs": {"video": ["a"]}}},
        {"odd": {"type": "Rmap"}, "end": {"type": "PrintTo", "inputs": {"video": ["odd"]}}},
        {"odd": {"type": "group:Looks@1"}},
        {"odd": {"type": "Keep", "params": {"paht": "x"}, "inputs": {"video": ["a"]}}},
        {"odd": {"type": "Keep"}},
        {"odd": {"type": "Add"}, "two": keep("odd", "two.txt")},
        {
            "odd": {"type": "Add", "inputs": {"plate": ["and"]}},
            "and": {"type": "Add", "inputs": {"plate": ["odd"]}},
            "two": keep("and", "two.txt"),
        },
        {
            "first": {"type": "Add", "inputs": {"plate": ["first"]}},
            "odd": {"type": "Add", "inputs": {"plate": ["odd"]}},
            "two": keep("odd", "two.txt"),
        },
    ],
)
def test_a_graph_that_would_not_write_all_it_should_is_refused(tmp_path, nodes):
    with pytest.raises(GraphError) as caught:
        render.check_graph(request({"a": RAMP, "one": keep("a", "one.txt"), **nodes}), tmp_path)
    assert {"odd", "and", "first"} & {problem.node for problem in caught.value.problems}


def test_what_keeps_a_sink_from_running_is_told_before_what_does_not(tmp_path):
    nodes = {"a": RAMP, "stray": {"type": "Add"}, "bad": {"type": "Add"}, "one": keep("bad", "one.txt")}
    with pytest.raises(GraphError) as caught:
        render.check_graph(request(nodes), tmp_path)
    assert [problem.node for problem in caught.value.problems] == ["bad", "stray"]


def test_many_stray_problems_are_told_in_a_few_sentences(context):
    notes = left_out(context, {f"stray{at}": {"type": "Add"} for at in range(100)})
    assert len(notes) < 30
    assert "80 more" in notes[-1]

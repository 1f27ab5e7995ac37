from __future__ import annotations

import ast

import pytest

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.errors import GraphError, NodeError
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

"""Fused is equal to node by node: over random chains and small graphs of the library's own point and affine nodes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artifexpro.core.graph import division, fuse
from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.document import FORMAT, Document
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.kinds import SourceNode
from artifexpro.core.graph.node import parameter
from artifexpro.core.graph.registry import Registry
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, Region, StreamInfo
from artifexpro.core.nodes import library

TOLERANCE = 1e-5
"""Of the value, for values above 1: libraries may take another path for a strip than for a picture."""
WIDTH, HEIGHT = 96, 64


class Plate(SourceNode):
    """A smooth moving picture with soft alpha, light above white and a little below black."""

    category = "input"
    still: bool = parameter(False, "One picture for all frames.")

    def describe(self) -> StreamInfo:
        return StreamInfo(1, 100, Fraction(24), WIDTH, HEIGHT, still=self.still)

    def read(self, request: FrameRequest) -> ImageBuffer:
        width, height = self.describe().size_at(request.scale)
        x, y = torch.linspace(0, 6, width).expand(height, width), torch.linspace(0, 4, height)[:, None]
        phase = 0.1 * request.frame
        planes = [0.5 + 0.6 * torch.sin(a * x + b * y + phase) for a, b in ((1.0, 0.5), (0.7, -1.0), (-0.4, 1.3))]
        alpha = (0.6 + 0.4 * torch.sin(x - y + phase)).clamp(0, 1)
        pixels = torch.stack([*(plane * alpha for plane in planes), alpha])[None]
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        region = request.region
        if region is not None:
            pixels = pixels[:, :, region.y : region.y + region.height, region.x : region.x + region.width]
        return ImageBuffer(pixels.contiguous(memory_format=torch.channels_last))


POINTS: dict[str, dict[str, st.SearchStrategy[float]]] = {
    "CDL": {"slope_red": st.floats(0.5, 1.5), "offset_blue": st.floats(-0.1, 0.1), "power_green": st.floats(0.7, 1.4)},
    "ColorCorrector": {"exposure": st.floats(-1, 1), "saturation": st.floats(0, 2)},
    "ColorWheels": {"lift": st.floats(-0.1, 0.1), "gamma": st.floats(0.7, 1.4)},
    "HueSaturation": {"hue": st.floats(0.3, 0.7), "saturation": st.floats(0.5, 1.5)},
    "ChromaKey": {"strength": st.floats(0.5, 1.5)},
}


@st.composite
def point_nodes(draw: st.DrawFn) -> tuple[str, dict[str, float]]:
    kind = draw(st.sampled_from(sorted(POINTS)))
    return kind, {name: draw(values) for name, values in POINTS[kind].items()}


REGISTRY = Registry((*library(), Plate))


def evaluators(context: Any, nodes: dict[str, tuple[str, dict[str, Any], dict[str, str]]]) -> tuple[Evaluator, ...]:
    """The same graph, fused and not."""
    raw = {
        name: {"type": kind, "version": 1, "params": params, "inputs": {to: [end, "out"] for to, end in inputs.items()}}
        for name, (kind, params, inputs) in nodes.items()
    }
    document = Document.parse({"format": FORMAT, "version": 1, "nodes": raw})
    plan = compile_graph(document, REGISTRY, context.models)
    return Evaluator(plan, context), Evaluator(plan, context, fuse=False)


def picture(evaluator: Evaluator, node: str, request: FrameRequest) -> torch.Tensor:
    return evaluator.frame(evaluator.plan.at(node), request).pixels


def largest_difference(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(((one - other).abs() / other.abs().clamp(min=1)).max())


@pytest.fixture(autouse=True)
def thin_strips(monkeypatch):
    """Strips of a few rows, so that small pictures have many."""
    monkeypatch.setattr(fuse, "STRIP_BYTES", 7 * WIDTH * 16)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chain=st.lists(point_nodes(), min_size=2, max_size=6), frame=st.integers(1, 100), half=st.booleans())
def test_a_chain_of_point_nodes_is_equal_to_its_nodes_one_by_one(context, chain, frame, half):
    nodes: dict[str, Any] = {"n0": ("Plate", {}, {})}
    for at, (kind, params) in enumerate(chain):
        nodes[f"n{at + 1}"] = (kind, params, {"video": f"n{at}"})
    fused, alone = evaluators(context, nodes)
    request = FrameRequest(frame, 0.5 if half else 1.0)
    end = f"n{len(chain)}"
    assert largest_difference(picture(fused, end, request), picture(alone, end, request)) <= TOLERANCE
    assert all(count == 1 for count in fused.runs)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    left=st.lists(point_nodes(), max_size=3),
    right=st.lists(point_nodes(), max_size=3),
    mode=st.sampled_from(["over", "add", "screen", "multiply"]),
    part=st.sampled_from([None, Region(10, 5, 40, 33)]),
)
def test_branches_that_meet_are_equal_to_their_nodes_one_by_one(context, left, right, mode, part):
    nodes: dict[str, Any] = {"plate": ("Plate", {}, {})}
    ends = []
    for side, chain in (("l", left), ("r", right)):
        before = "plate"
        for at, (kind, params) in enumerate(chain):
            nodes[f"{side}{at}"] = (kind, params, {"video": before})
            before = f"{side}{at}"
        ends.append(before)
    nodes["merge"] = ("Merge", {"mode": mode}, {"a": ends[0], "b": ends[1]})
    nodes["out"] = ("ColorCorrector", {"exposure": 0.5}, {"video": "merge"})
    fused, alone = evaluators(context, nodes)
    request = FrameRequest(7, 1.0, part)
    assert largest_difference(picture(fused, "out", request), picture(alone, "out", request)) <= TOLERANCE


def test_a_result_that_others_read_too_is_not_fused_away(context):
    nodes = {
        "plate": ("Plate", {}, {}),
        "grade": ("ColorCorrector", {"exposure": 1.0}, {"video": "plate"}),
        "soft": ("Blur", {"size": 2.0}, {"video": "grade"}),
        "more": ("CDL", {"slope_red": 0.5}, {"video": "grade"}),
        "out": ("Merge", {"mode": "add"}, {"a": "soft", "b": "more"}),
    }
    fused, alone = evaluators(context, nodes)
    request = FrameRequest(1)
    assert largest_difference(picture(fused, "out", request), picture(alone, "out", request)) <= TOLERANCE
    assert fused.runs[fused.plan.at("grade")] == 1


def run_of(evaluator: Evaluator, node: str) -> fuse.Run:
    """The run that computes `node`."""
    picture(evaluator, node, FrameRequest(1))
    (program,) = (each for each in evaluator._programs.values() if evaluator.plan.at(node) in each.steps)
    (run,) = (bound.call for bound in program._bound if isinstance(bound.call, fuse.Run))
    return run


def chain_of(*grades: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    nodes: dict[str, Any] = {"n0": ("Plate", {}, {})}
    for at, (kind, params) in enumerate(grades):
        nodes[f"n{at + 1}"] = (kind, params, {"video": f"n{at}"})
    return nodes


def test_nodes_that_only_mix_channels_are_one_sum(context):
    nodes = chain_of(
        ("ColorCorrector", {"saturation": 1.3}),
        ("CDL", {"slope_red": 1.2, "offset_blue": 0.1, "saturation": 0.8}),
        ("ColorWheels", {"lift": 0.05, "gain_green": 1.1}),
    )
    fused, alone = evaluators(context, nodes)
    stages = run_of(fused, "n3")._stages(1)
    assert [len(stage.steps) for stage in stages] == [3]
    request = FrameRequest(9)
    assert largest_difference(picture(fused, "n3", request), picture(alone, "n3", request)) <= TOLERANCE
    assert all(row.runs == 2 for row in fused.statistics() if row.node != "n0")


def test_alpha_is_divided_out_once_for_a_run_of_grades(context, monkeypatch):
    nodes = chain_of(
        ("CDL", {"power_red": 1.2}),
        ("ColorCorrector", {"saturation": 1.3}),
        ("ColorSpace", {"to": "ACEScct"}),
        ("View", {"view": "Un-tone-mapped"}),
    )
    fused, alone = evaluators(context, nodes)
    request = FrameRequest(4)
    assert largest_difference(picture(fused, "n4", request), picture(alone, "n4", request)) <= TOLERANCE
    monkeypatch.setattr(fuse, "STRIP_BYTES", 10**9)
    divisions = []
    divided = division.apart
    monkeypatch.setattr(division, "apart", lambda pixels: divisions.append(1) or divided(pixels))
    picture(fused, "n4", FrameRequest(5))
    assert len(divisions) == 1


def test_what_was_handed_over_opaque_is_not_written_to(context):
    """A conversion that changes nothing hands an opaque plate on as it is; the next node makes pixels of its own."""
    nodes = {
        "n0": ("Solid", {"red": 0.3, "green": 0.2, "blue": 0.1}, {}),
        "n1": ("ColorSpace", {"to": "lin_ap1_scene"}, {"video": "n0"}),
        "n2": ("ColorSpace", {"to": "ACEScct"}, {"video": "n1"}),
    }
    fused, _ = evaluators(context, nodes)
    before = picture(fused, "n0", FrameRequest(1)).clone()
    shown = fused.frame(fused.plan.at("n0"), FrameRequest(1), viewer=True).pixels
    picture(fused, "n2", FrameRequest(1))
    assert torch.equal(shown, before)


def test_every_node_of_a_run_has_a_part_of_its_time(context):
    nodes: dict[str, Any] = {"n0": ("Plate", {}, {})}
    for at in range(1, 5):
        nodes[f"n{at}"] = ("CDL", {"slope_red": 0.9}, {"video": f"n{at - 1}"})
    fused, _ = evaluators(context, nodes)
    for frame in range(1, 6):
        picture(fused, "n4", FrameRequest(frame))
    told = {row.node: row for row in fused.statistics()}
    assert all(told[name].runs == 5 and told[name].seconds > 0 for name in nodes)


def moves(*steps: dict[str, float]) -> dict[str, Any]:
    nodes: dict[str, Any] = {"n0": ("Plate", {}, {})}
    for at, params in enumerate(steps):
        nodes[f"n{at + 1}"] = ("Transform2D", dict(params), {"video": f"n{at}"})
    return nodes


def test_a_run_of_moves_is_one_resampling(context):
    """Out of the picture and back again is nothing at all: not softened, nothing lost."""
    fused, _ = evaluators(context, moves({"x": 500.0}, {"x": -480.0}, {"x": -20.0}))
    request = FrameRequest(3)
    assert largest_difference(picture(fused, "n3", request), picture(fused, "n0", request)) <= 1e-6
    runs = [fused.runs[fused.plan.at(f"n{at}")] for at in range(4)]
    assert runs[1:] == [0, 0, 1]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.fixed_dictionaries({"x": st.floats(-4, 4), "rotate": st.floats(-10, 10)}),
    second=st.fixed_dictionaries({"y": st.floats(-4, 4), "scale": st.floats(1.0, 1.2)}),
    scale=st.sampled_from([1.0, 0.5]),
)
def test_composed_moves_are_the_moves_one_by_one_on_a_soft_picture(context, first, second, scale):
    """Away from the edges, where one by one something is cut; resampled once instead of twice, a picture as soft as
    this one differs by less than two percent."""
    fused, alone = evaluators(context, moves(first, second))
    request = FrameRequest(5, scale)
    inner = (
        slice(None),
        slice(None),
        slice(int(20 * scale), int(-20 * scale)),
        slice(int(24 * scale), int(-24 * scale)),
    )
    one, other = picture(fused, "n2", request)[inner], picture(alone, "n2", request)[inner]
    assert float((one - other).abs().max()) <= 0.02


def test_a_move_that_others_look_at_is_composed_all_the_same(context):
    """What a node shows never depends on who else looks."""
    nodes = moves({"x": 60.0}, {"x": -60.0})
    looked_at = {
        **nodes,
        "soft": ("Blur", {"size": 1.0}, {"video": "n1"}),
        "out": ("Merge", {"mode": "add"}, {"a": "soft", "b": "n2"}),
    }
    (plain, _), (watched, _) = evaluators(context, nodes), evaluators(context, looked_at)
    picture(watched, "out", FrameRequest(1))
    assert torch.equal(picture(plain, "n2", FrameRequest(1)), picture(watched, "n2", FrameRequest(1)))

"""Parameters that move: by curves and by controls, sampled frame by frame."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.kinds import FrameNode, ValueNode
from artifexpro.core.graph.node import Pixels, Socket, parameter
from artifexpro.core.graph.values import ControlSignal, FrameRequest, ImageBuffer, SocketType
from artifexpro.core.protocol import FrameRange


class Gain(FrameNode):
    """Multiplies, and says how it was asked."""

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("plate", SocketType.VIDEO),)
    by: float = parameter(1.0, "Factor.", minimum=0, maximum=10, animatable=True)
    times: int = parameter(1, "How often.", minimum=0, maximum=9, animatable=True)
    reach: Pixels = parameter(0.0, "A distance, added.", animatable=True)
    fixed: float = parameter(0.0, "Holds for the whole clip.")

    def identity(self) -> str | None:
        return "plate" if (self.by, self.times, self.reach) == (1, 1, 0) else None

    def render(self, request: FrameRequest, plate: ImageBuffer) -> ImageBuffer:
        return plate.with_pixels(plate.pixels * self.by**self.times + self.reach)


class Wave(ValueNode):
    """A control that is the frame's number."""

    category: ClassVar[str] = "control"
    outputs: ClassVar[tuple[Socket, ...]] = (Socket("out", SocketType.CONTROL),)
    factor: float = parameter(1.0, "Times the frame.")

    def evaluate(self) -> ControlSignal:
        return ControlSignal(lambda frame: self.factor * frame)


@pytest.fixture
def moving(bench):
    bench.know(Gain, Wave)
    return bench


def curve(*keys: tuple[float, float], ease: str = "linear", **rest: Any) -> dict[str, Any]:
    return {"curve": {"keys": [{"frame": at, "value": value, "ease": ease} for at, value in keys], **rest}}


def ramp_through(**params: Any) -> dict[str, Any]:
    return {"a": ("Ramp", {"length": 9}, {}), "b": ("Gain", params, {"plate": "a"})}


def test_a_curve_is_sampled_at_every_frame(moving):
    graph = moving.evaluator(**ramp_through(by=curve((1, 1.0), (9, 5.0))))
    assert [moving.value(graph, "b", frame) for frame in (1, 5, 9)] == [1, 5 * 3, 9 * 5]


def test_a_whole_parameter_gets_the_nearest_whole_number(moving):
    graph = moving.evaluator(**ramp_through(by=2.0, times=curve((1, 0.0), (9, 4.0))))
    assert moving.value(graph, "b", 4) == 4 * 2**2


def test_a_moving_distance_follows_the_scale(moving):
    graph = moving.evaluator(**ramp_through(by=0.0, reach=curve((1, 8.0), (9, 16.0))))
    assert moving.value(graph, "b", 9, scale=0.5) == 8


def test_a_curve_that_never_moves_leaves_a_still_still(moving):
    nodes = {"a": ("Ramp", {"still": True}, {}), "b": ("Gain", {"by": curve((1, 2.0), (9, 2.0))}, {"plate": "a"})}
    graph = moving.evaluator(**nodes)
    for frame in range(1, 9):
        assert moving.value(graph, "b", frame) == 2
    assert graph.info(graph.plan.at("b")).still
    assert graph.runs[graph.plan.at("b")] == 1


def test_a_still_that_moves_has_any_frame_but_no_range(moving):
    nodes = {
        "a": ("Ramp", {"still": True}, {}),
        "b": ("Gain", {"by": curve((1, 1.0), (9, 9.0))}, {"plate": "a"}),
        "keep": ("Keep", {}, {"video": "b"}),
    }
    graph = moving.evaluator(**nodes)
    info = graph.info(graph.plan.at("b"))
    assert (info.still, info.endless) == (False, True)
    assert [moving.value(graph, "b", frame) for frame in (1, 5, 900)] == [1, 5, 9]
    assert graph.runs[graph.plan.at("a")] == 1
    with pytest.raises(NodeError, match=r"no end.*saying which frames"):
        graph.write(graph.plan.at("keep"))
    graph.context.frames = FrameRange(first=3, last=4)
    graph.write(graph.plan.at("keep"))


def test_a_control_wire_moves_a_parameter(moving):
    nodes = {"w": ("Wave", {"factor": 0.5}, {}), **ramp_through()}
    nodes["b"] = ("Gain", {}, {"plate": "a", "by": "w"})
    graph = moving.evaluator(**nodes)
    assert [moving.value(graph, "b", frame) for frame in (2, 8)] == [2 * 1, 8 * 4]


def test_a_control_that_leaves_the_range_is_refused_at_that_frame(moving):
    nodes = {"w": ("Wave", {"factor": 2.0}, {}), **ramp_through()}
    nodes["b"] = ("Gain", {}, {"plate": "a", "by": "w"})
    graph = moving.evaluator(**nodes)
    assert moving.value(graph, "b", 5) == 50
    with pytest.raises(NodeError, match=r"set by to 12.*from 0 to 10") as caught:
        moving.value(graph, "b", 6)
    assert (caught.value.node, caught.value.frame) == ("b", 6)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"by": curve((1, 1.0), (9, 11.0))}, "reaches 11 and by goes up to 10"),
        ({"by": curve((1, 1.0), (9, 2.0), after="linear")}, "for ever"),
        ({"fixed": curve((1, 1.0), (9, 2.0))}, "holds for the whole clip"),
        ({"by": {"curve": {"keys": []}}}, "no keys"),
    ],
)
def test_a_curve_that_does_not_fit_is_refused_before_work(moving, params, said):
    with pytest.raises(GraphError, match=said) as caught:
        moving.plan(**ramp_through(**params))
    assert caught.value.node == "b"


def test_a_bezier_that_overshoots_its_range_is_refused(moving):
    keys = [{"frame": 1, "value": 9.0, "ease": "bezier", "right": [4, 6.0]}, {"frame": 9, "value": 9.0}]
    with pytest.raises(GraphError, match="goes up to 10"):
        moving.plan(**ramp_through(by={"curve": {"keys": keys}}))


def test_a_wire_into_a_parameter_that_cannot_move_is_refused(moving):
    nodes = {"w": ("Wave", {}, {}), **ramp_through()}
    nodes["b"] = ("Gain", {}, {"plate": "a", "fixed": "w"})
    with pytest.raises(GraphError, match="no such input"):
        moving.plan(**nodes)


def test_keys_follow_the_curve_and_the_control(moving):
    def key(**params: Any) -> bytes:
        plan = moving.plan(**ramp_through(**params))
        return plan.steps[plan.at("b")].key

    slow, quick = curve((1, 1.0), (9, 2.0)), curve((1, 1.0), (5, 2.0))
    assert key(by=slow) == key(by=slow)
    assert len({key(by=slow), key(by=quick), key(by=1.5), key(times=slow)}) == 4
    assert key(by=curve((1, 2.0), (9, 2.0))) == key(by=2.0)


def test_an_edit_can_set_a_curve_and_take_it_away(moving):
    graph = moving.evaluator(**ramp_through(by=2.0))
    assert moving.value(graph, "b", 9) == 18
    graph.replan(graph.plan.with_params("b", by=curve((1, 1.0), (9, 5.0))))
    assert moving.value(graph, "b", 9) == 45
    graph.replan(graph.plan.with_params("b", times=2))
    assert moving.value(graph, "b", 9) == 9 * 25
    graph.replan(graph.plan.with_params("b", by=1.0, times=1))
    assert moving.value(graph, "b", 9) == 9

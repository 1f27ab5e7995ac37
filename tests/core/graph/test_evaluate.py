from __future__ import annotations

import threading
import time
from typing import ClassVar

import pytest

from artifexpro.core.errors import Cancelled
from artifexpro.core.graph.compile import preflight
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.kinds import FrameNode
from artifexpro.core.graph.node import Socket
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo
from artifexpro.core.protocol import FrameRange


class Slow(FrameNode):
    """Takes its time, and tells when it began."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("plate", SocketType.VIDEO),)
    SECONDS: ClassVar[float] = 0.2
    started: ClassVar[threading.Event] = threading.Event()

    def render(self, request: FrameRequest, plate: ImageBuffer) -> ImageBuffer:
        self.started.set()
        time.sleep(self.SECONDS)
        return plate


def runs(evaluator: Evaluator, name: str) -> int:
    return evaluator.runs[evaluator.plan.index[name]]


def test_a_frame_comes_out_right(bench):
    graph = bench.evaluator(
        a=("Ramp", {}, {}), b=("Add", {"amount": 10.0}, {"plate": "a"}), c=("Sum", {}, {"a": "a", "b": "b"})
    )
    assert bench.value(graph, "c", 3) == 3 + 13


def test_a_shared_input_is_computed_once_a_frame(bench):
    graph = bench.evaluator(
        a=("Ramp", {}, {}),
        b=("Add", {}, {"plate": "a"}),
        c=("Add", {}, {"plate": "a"}),
        d=("Sum", {}, {"a": "b", "b": "c"}),
    )
    bench.value(graph, "d", 1)
    assert runs(graph, "a") == 1


def test_what_is_still_is_computed_once_for_all_frames(bench):
    graph = bench.evaluator(
        logo=("Ramp", {"still": True}, {}),
        grade=("Add", {}, {"plate": "logo"}),
        plate=("Ramp", {}, {}),
        out=("Sum", {}, {"a": "plate", "b": "grade"}),
    )
    for frame in range(1, 8):
        assert bench.value(graph, "out", frame) == frame + 2
    assert (runs(graph, "logo"), runs(graph, "grade"), runs(graph, "plate")) == (1, 1, 7)


def test_nothing_is_kept_on_a_straight_line(bench):
    nodes = {"n0": ("Ramp", {}, {})} | {f"n{at}": ("Add", {}, {"plate": f"n{at - 1}"}) for at in range(1, 20)}
    graph = bench.evaluator(**nodes)
    for frame in range(1, 10):
        bench.value(graph, "n19", frame)
    assert len(graph.engine.cache) == 0


def test_identity_never_runs(bench):
    graph = bench.evaluator(
        a=("Ramp", {}, {}), b=("Add", {"amount": 0.0}, {"plate": "a"}), c=("Add", {}, {"plate": "b"})
    )
    assert bench.value(graph, "c", 2) == 3
    assert bench.value(graph, "b", 2) == 2
    assert runs(graph, "b") == 0


def test_distances_arrive_in_pixels_of_the_request(bench):
    graph = bench.evaluator(a=("Ramp", {}, {}), b=("Shift", {"distance": 8.0}, {"plate": "a"}))
    assert bench.value(graph, "b", 1) == 8
    assert bench.value(graph, "b", 1, scale=0.25) == 2
    small = graph.frame(graph.plan.index["b"], FrameRequest(1, 0.25))
    assert small.size == (2, 1)


def test_a_window_in_time_repeats_the_end_frames(bench):
    graph = bench.evaluator(a=("Ramp", {"length": 3}, {}), b=("Average", {}, {"plate": "a"}))
    assert bench.value(graph, "b", 2) == 2
    assert bench.value(graph, "b", 1) == pytest.approx((1 + 1 + 2) / 3)
    assert bench.value(graph, "b", 3) == pytest.approx((2 + 3 + 3) / 3)


def test_ten_thousand_nodes_deep_is_no_recursion(bench):
    nodes = {"n0": ("Ramp", {}, {})} | {f"n{at}": ("Add", {}, {"plate": f"n{at - 1}"}) for at in range(1, 10_000)}
    assert bench.value(bench.evaluator(**nodes), "n9999", 1) == 10_000


def test_a_frame_outside_the_clip_names_the_range(bench):
    graph = bench.evaluator(a=("Ramp", {}, {}))
    with pytest.raises(NodeError, match="frames 1 to 10"):
        bench.value(graph, "a", 11)


@pytest.mark.parametrize(
    ("how", "word"), [("raise", "division by zero"), ("artifex", "nothing moves"), ("shape", "1 x 4 x 4 x 8")]
)
def test_a_failing_node_is_named_and_keeps_its_words(bench, how: str, word: str):
    graph = bench.evaluator(a=("Ramp", {}, {}), bad=("Broken", {"how": how}, {"plate": "a"}))
    with pytest.raises(NodeError, match=word) as caught:
        bench.value(graph, "bad", 4)
    assert caught.value.node == "bad"
    assert caught.value.frame == 4


def test_a_generator_runs_once_and_its_clip_outlives_the_job(bench):
    graph = {"dream": ("Dream", {"seed": 5}, {})}
    first = bench.evaluator(**graph)
    assert [bench.value(first, "dream", frame) for frame in (1001, 1005)] == [1006, 1010]
    again = bench.evaluator(**graph)
    assert bench.value(again, "dream", 1003) == 1008
    assert first.plan.steps[0].node.made == [5]


def test_a_generator_is_fed_by_a_converted_wire(bench):
    graph = bench.evaluator(
        a=("Ramp", {}, {}), b=("Add", {"amount": 6.0}, {"plate": "a"}), dream=("Dream", {}, {"image": "b"})
    )
    assert bench.value(graph, "dream", 1001) == 1001 + 7


def test_a_generator_that_fails_leaves_nothing(bench):
    graph = bench.evaluator(dream=("Dream", {"fail": True}, {}))
    with pytest.raises(NodeError, match="fell asleep"):
        bench.value(graph, "dream", 1001)
    assert list(bench.context.store.iterdir()) == []


def test_a_sink_writes_the_range_it_is_asked_for(bench, tmp_path):
    graph = bench.evaluator(a=("Ramp", {}, {}), keep=("Keep", {}, {"video": "a"}))
    graph.context.frames = FrameRange(first=3, last=5)
    graph.write(graph.plan.index["keep"])
    assert (tmp_path / "means.txt").read_text() == "[3.0, 4.0, 5.0]"


def test_a_sink_asked_for_frames_outside_is_refused_before_work(bench):
    graph = bench.evaluator(a=("Ramp", {}, {}), keep=("Keep", {}, {"video": "a"}))
    graph.context.frames = FrameRange(first=8, last=12)
    with pytest.raises(NodeError, match="frames 1 to 10"):
        graph.write(graph.plan.index["keep"])
    assert sum(graph.runs) == 0


def test_a_cancelled_job_stops_between_nodes(bench):
    """The first of three slow nodes is running when the job is cancelled; the others never start."""
    bench.know(Slow)
    slow = {f"n{at}": ("Slow", {}, {"plate": f"n{at - 1}"}) for at in range(1, 4)}
    graph = bench.evaluator(n0=("Ramp", {}, {}), **slow)
    cancelled = threading.Event()

    def check() -> None:
        if cancelled.is_set():
            raise Cancelled

    graph.context.check = check
    Slow.started.clear()
    threading.Thread(target=lambda: (Slow.started.wait(10), cancelled.set()), daemon=True).start()
    with pytest.raises(Cancelled):
        bench.value(graph, "n3", 1)
    time.sleep(3 * Slow.SECONDS)
    assert runs(graph, "n2") == runs(graph, "n3") == 0


def test_preflight_asks_every_node(bench, monkeypatch):
    plan = bench.plan(a=("Ramp", {}, {}), b=("Add", {}, {"plate": "a"}))
    asked = []
    for step in plan.steps:
        monkeypatch.setattr(type(step.node), "preflight", lambda node, context: asked.append(sorted(context.wired)))
    preflight(plan)
    assert asked == [[], ["plate"]]


def test_preflight_tells_all_refusals(bench, monkeypatch):
    plan = bench.plan(a=("Ramp", {}, {}), b=("Ramp", {"length": 2}, {}))

    def refuse(node, context):
        raise OSError("no such file")

    monkeypatch.setattr(type(plan.steps[0].node), "preflight", refuse)
    with pytest.raises(GraphError) as caught:
        preflight(plan)
    assert {problem.node for problem in caught.value.problems} == {"a", "b"}


def test_a_still_has_every_frame():
    from fractions import Fraction

    still = StreamInfo(5, 5, Fraction(24), 8, 4, still=True)
    assert 100 in still
    assert len(still) == 1

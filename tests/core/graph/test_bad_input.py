"""Nodes that fail, lie or hang, and long streams: the right node is named, and nothing else suffers."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import torch

from artifexpro.core.errors import Cancelled
from artifexpro.core.graph import lanes
from artifexpro.core.graph.cache import FrameCache
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.engine import Engine
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.kinds import FrameNode, PointNode, SinkNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, VideoStream
from artifexpro.core.protocol import Artefact

PLATE = (Socket("plate", SocketType.VIDEO),)


class Divide(PointNode):
    """Takes something off and divides the rest by itself: 0/0 where nothing is left."""

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = PLATE
    less: float = parameter(0.0, "Taken off first.")

    def point(self, plate: ImageBuffer) -> ImageBuffer:
        left = plate.pixels - self.less
        return plate.with_pixels(left / left)


class Brighten(PointNode):
    """Adds one."""

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = PLATE

    def point(self, plate: ImageBuffer) -> ImageBuffer:
        return plate.with_pixels(plate.pixels + 1)


class Lies(FrameNode):
    """Gives something else than it promised."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = PLATE
    how: str = parameter("none", "What.")

    def render(self, request: FrameRequest, plate: ImageBuffer) -> Any:
        pixels = plate.pixels
        gives = {
            "none": None,
            "tensor": pixels,
            "text": "a picture",
            "channels": plate.with_pixels(pixels[:, :3]),
            "rows": plate.with_pixels(pixels[:, :, :1]),
            "batch": plate.with_pixels(pixels.repeat(2, 1, 1, 1)),
            "flat": plate.with_pixels(pixels[0]),
            "whole numbers": plate.with_pixels(pixels.to(torch.uint8)),
            "doubles": plate.with_pixels(pixels.double()),
        }
        return gives[self.how]


class Raises(FrameNode):
    """Fails at one frame."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = PLATE
    at: int = parameter(5, "Which.")

    def render(self, request: FrameRequest, plate: ImageBuffer) -> ImageBuffer:
        if request.frame == self.at:
            raise KeyError("matrix")
        return plate


class Hangs(FrameNode):
    """Waits for ever at one frame."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = PLATE
    at: int = parameter(3, "Which.")

    began: ClassVar[threading.Event] = threading.Event()
    goes_on: ClassVar[threading.Event] = threading.Event()

    def render(self, request: FrameRequest, plate: ImageBuffer) -> ImageBuffer:
        if request.frame == self.at:
            Hangs.began.set()
            Hangs.goes_on.wait(60)
        return plate


class Count(SinkNode):
    """Reads all frames, and keeps none."""

    category: ClassVar[str] = "output"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)

    def write(self, context: JobContext, video: VideoStream) -> tuple[Artefact, ...]:
        for _frame, _picture in video.frames():
            context.check()
        return ()


@pytest.fixture
def known(bench: Any) -> Any:
    bench.know(Divide, Brighten, Lies, Raises, Hangs, Count)
    return bench


@pytest.fixture
def hanging() -> Iterator[None]:
    Hangs.began.clear()
    Hangs.goes_on.clear()
    yield
    Hangs.goes_on.set()


def failure(evaluator: Evaluator, node: str, frame: int, **how: Any) -> NodeError:
    with pytest.raises(NodeError) as caught:
        evaluator.frame(evaluator.plan.at(node), FrameRequest(frame), **how)
    return caught.value


# ---------------------------------------------------------------------- no numbers


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("viewer", [True, False])
def test_what_a_node_makes_of_good_pixels_is_its_own_fault(known: Any, fuse: bool, viewer: bool) -> None:
    """Frame 3 is 3 everywhere: less 4 it is finite after one brightening, 0/0 without."""
    plan = known.plan(
        plate=("Ramp", {}, {}),
        one=("Brighten", {}, {"plate": "plate"}),
        ratio=("Divide", {"less": 4.0}, {"plate": "one"}),
        two=("Brighten", {}, {"plate": "ratio"}),
        end=("Add", {"amount": 2.0}, {"plate": "two"}),
    )
    evaluator = Evaluator(plan, known.context, fuse=fuse)
    evaluator.frame(plan.at("end"), FrameRequest(4), viewer=viewer)
    error = failure(evaluator, "end", 3, viewer=viewer)
    assert (error.node, error.frame, error.code) == ("ratio", 3, "pixels")
    assert error.because.startswith("32 of its pixels are infinite or not numbers, the first at 0, 0")
    assert error.remedy == "a Repair node before or after it"


def test_the_search_for_the_first_node_runs_each_once_more(known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    length = 1500
    nodes: dict[str, tuple] = {"n0": ("Ramp", {}, {})}
    for at in range(1, length):
        nodes[f"n{at}"] = ("Add", {"amount": 0.5}, {"plate": f"n{at - 1}"})
    nodes["end"] = ("Divide", {"less": 3 + 0.5 * (length - 1)}, {"plate": f"n{length - 1}"})
    ran: list[int] = []
    add = known.registry.get("Add")
    render = add.render
    monkeypatch.setattr(add, "render", lambda self, request, **plate: ran.append(1) or render(self, request, **plate))
    assert failure(known.evaluator(**nodes), "end", 3).node == "end"
    assert len(ran) == 2 * (length - 1)


def test_honest_numbers_whose_sum_is_too_large_are_no_fault(known: Any) -> None:
    class Bright(FrameNode):
        """Very bright."""

        category: ClassVar[str] = "color"
        inputs: ClassVar[tuple[Socket, ...]] = PLATE

        def render(self, request: FrameRequest, plate: ImageBuffer) -> ImageBuffer:
            return plate.with_pixels(torch.full_like(plate.pixels, 3e38))

    known.know(Bright)
    evaluator = known.evaluator(plate=("Ramp", {}, {}), sun=("Bright", {}, {"plate": "plate"}))
    picture = evaluator.frame(evaluator.plan.at("sun"), FrameRequest(1))
    assert float(picture.pixels.amin()) > 1e38
    assert not bool(torch.isfinite(picture.pixels.sum()))


# ---------------------------------------------------------------------- failing and lying


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("none", "no picture"),
        ("tensor", "no picture"),
        ("text", "no picture"),
        ("channels", "promised"),
        ("rows", "promised"),
        ("batch", "promised"),
        ("flat", "promised"),
        ("whole numbers", "uint8"),
        ("doubles", "float64"),
    ],
)
def test_a_node_that_does_not_keep_its_word_is_named(known: Any, how: str, said: str) -> None:
    nodes = {"plate": ("Ramp", {}, {}), "liar": ("Lies", {"how": how}, {"plate": "plate"})}
    error = failure(known.evaluator(**nodes), "liar", 2)
    assert (error.node, error.frame) == ("liar", 2)
    assert said in error.because
    assert "reporting this" in error.remedy
    after = failure(known.evaluator(**nodes, end=("Brighten", {}, {"plate": "liar"})), "end", 2)
    assert after.node == "liar"


def test_a_node_that_fails_at_one_frame_is_named_and_the_others_are_there(known: Any) -> None:
    evaluator = known.evaluator(
        plate=("Ramp", {}, {}), bad=("Raises", {}, {"plate": "plate"}), end=("Brighten", {}, {"plate": "bad"})
    )
    error = failure(evaluator, "end", 5)
    assert (error.node, error.frame) == ("bad", 5)
    assert [known.value(evaluator, "end", frame) for frame in (4, 6)] == [5, 7]
    with pytest.raises(NodeError, match="frame 5"):
        list(evaluator.stream(evaluator.plan.at("end")).frames())


@pytest.mark.parametrize("frame", [0, 11, -1, 10**9])
def test_frames_outside_the_range_are_refused_with_the_range(known: Any, frame: int) -> None:
    evaluator = known.evaluator(plate=("Ramp", {}, {}), end=("Brighten", {}, {"plate": "plate"}))
    error = failure(evaluator, "end", frame)
    assert error.code == "range"
    assert "1 to 10" in error.because


# ---------------------------------------------------------------------- hanging


class Waiting:
    """A context that is cancelled by `stop`, and keeps what it was told."""

    def __init__(self, context: Any) -> None:
        self.stop = threading.Event()
        self.told: list[str] = []
        self.context = context
        context.check = self.check
        context.progress = lambda stage, done, total: self.told.append(stage)

    def check(self) -> None:
        if self.stop.is_set():
            raise Cancelled


@pytest.mark.parametrize("how", ["frame", "sink"])
def test_a_job_whose_node_hangs_is_cancelled_and_others_go_on(
    known: Any, hanging: None, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(lanes, "ABANDONED_SECONDS", 0.2)
    engine = Engine(cores=1)
    waiting = Waiting(known.context)
    plan = known.plan(
        plate=("Ramp", {}, {}), stuck=("Hangs", {}, {"plate": "plate"}), out=("Count", {}, {"video": "stuck"})
    )
    evaluator = Evaluator(plan, known.context, engine)
    ended: list[float] = []

    def job() -> None:
        try:
            if how == "sink":
                evaluator.write(plan.at("out"))
            else:
                evaluator.frame(plan.at("stuck"), FrameRequest(3))
        except Cancelled:
            ended.append(time.monotonic())

    thread = threading.Thread(target=job, daemon=True)
    thread.start()
    assert Hangs.began.wait(10)
    waiting.stop.set()
    asked = time.monotonic()
    thread.join(10)
    assert ended and ended[0] - asked < 2
    waiting.stop.clear()
    other = Evaluator(
        known.plan(plate=("Ramp", {}, {}), end=("Brighten", {}, {"plate": "plate"})), known.context, engine
    )
    assert [known.value(other, "end", frame) for frame in range(1, 11)] == list(range(2, 12))
    engine.close()


def test_who_waits_for_a_node_that_hangs_is_told_which(
    known: Any, hanging: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "SLOW_SECONDS", 0.2)
    waiting = Waiting(known.context)
    evaluator = known.evaluator(
        plate=("Ramp", {}, {}),
        before=("Add", {}, {"plate": "plate"}),
        stuck=("Hangs", {}, {"plate": "before"}),
        after=("Add", {}, {"plate": "stuck"}),
    )

    def free() -> None:
        while not waiting.told:
            time.sleep(0.01)
        Hangs.goes_on.set()

    threading.Thread(target=free, daemon=True).start()
    evaluator.frame(evaluator.plan.at("after"), FrameRequest(3))
    assert waiting.told == ["node stuck has been working on frame 3 for 0 s"]
    assert known.context.notes == ["Node stuck has been working on frame 3 for 0 s."]
    evaluator.frame(evaluator.plan.at("after"), FrameRequest(4))
    assert len(waiting.told) == 1


# ---------------------------------------------------------------------- long streams


def test_a_long_stream_holds_few_pictures_at_once(known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """3,000 frames through five nodes: at most a few pictures a core live at any time, and none at the end."""
    lock = threading.RLock()
    live, most, made = 0, 0, 0

    def gone() -> None:
        nonlocal live
        with lock:
            live -= 1

    def counting(work: Callable[..., ImageBuffer]) -> Callable[..., ImageBuffer]:
        def counted(self: Any, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
            nonlocal live, most, made
            picture = work(self, request, **inputs)
            with lock:
                live, made = live + 1, made + 1
                most = max(most, live)
            weakref.finalize(picture.pixels, gone)
            return picture

        return counted

    for name, method in (("Ramp", "read"), ("Add", "render"), ("Sum", "render")):
        kind = known.registry.get(name)
        monkeypatch.setattr(kind, method, counting(getattr(kind, method)))
    plan = known.plan(
        plate=("Ramp", {"length": 3000}, {}),
        one=("Add", {}, {"plate": "plate"}),
        two=("Add", {}, {"plate": "one"}),
        three=("Add", {}, {"plate": "one"}),
        four=("Sum", {}, {"a": "two", "b": "three"}),
        five=("Add", {}, {"plate": "four"}),
        out=("Count", {}, {"video": "five"}),
    )
    cache = FrameCache(20 * 8 * 4 * 4 * 4)
    engine = Engine(cores=2, cache=cache)
    Evaluator(plan, known.context, engine).write(plan.at("out"))
    engine.close()
    assert made == 6 * 3000
    assert most <= 20 + 8 * engine.cores
    cache.clear()
    gc.collect()
    assert live == 0

"""Room on the card by arithmetic: a gate of a hundred bytes stands for the card, threads for clips being generated."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from fractions import Fraction
from itertools import cycle
from typing import ClassVar

import pytest

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.engine import Engine
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.kinds import GeneratorNode
from artifexpro.core.graph.values import FrameRequest, StreamInfo
from artifexpro.core.graph.vram import VramGate


def nothing() -> None:
    pass


def test_what_fits_beside_goes_on_and_what_does_not_waits():
    gate = VramGate(100)
    order: list[str] = []
    with ExitStack() as first:
        first.enter_context(gate.admit("a", 60, nothing))
        with gate.admit("b", 40, nothing):
            assert gate.taken == 100

        def large() -> None:
            with gate.admit("c", 80, nothing):
                order.append("large")

        waiting = threading.Thread(target=large)
        waiting.start()
        waiting.join(0.2)
        order.append("first done")
    waiting.join(5)
    assert order == ["first done", "large"]
    assert gate.taken == 0


def test_what_the_card_could_never_hold_is_refused_in_words():
    with (
        pytest.raises(ArtifexError, match=r"this takes 2.0 GB and the card has 1.0"),
        VramGate(1024**3).admit("a", 2 * 1024**3, nothing),
    ):
        pass


def test_the_measured_peak_counts_from_then_on():
    gate = VramGate(100, peak=cycle([0, 30]).__next__)
    with gate.admit("clip", 90, nothing):
        assert gate.taken == 90
    with gate.admit("clip", 90, nothing), gate.admit("other", 70, nothing):
        assert gate.taken == 100


def test_a_cancelled_job_waits_no_longer():
    gate = VramGate(100)

    def cancelled() -> None:
        raise Cancelled

    with gate.admit("a", 100, nothing), pytest.raises(Cancelled), gate.admit("b", 1, cancelled):
        pass
    assert gate.taken == 0


def test_room_is_given_back_when_work_fails():
    gate = VramGate(100)
    with pytest.raises(ValueError, match="torn"), gate.admit("a", 100, nothing):
        raise ValueError("torn")
    assert gate.taken == 0


class Large(GeneratorNode):
    """Needs more than there is."""

    category: ClassVar[str] = "generator"

    def peak_vram(self, infos):
        return 2 * 1024**3

    def describe(self, infos):
        return StreamInfo(1, 2, Fraction(24), 8, 4)

    def generate(self, context, folder, halfway):
        raise AssertionError("it was admitted")


def test_a_generator_that_cannot_fit_is_refused_before_it_starts(bench):
    bench.know(Large)
    graph = Evaluator(bench.plan(a=("Large", {}, {})), bench.context, Engine(vram=VramGate(1024**3)))
    with pytest.raises(NodeError, match="the card has") as caught:
        graph.frame(0, FrameRequest(1))
    assert (caught.value.node, caught.value.code) == ("a", "vram")

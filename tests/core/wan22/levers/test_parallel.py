"""Two processes make the clip of one, and what cannot be shared is refused."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, parallel
from artifexpro.core.wan22.levers import Levers

CPU, CARD = torch.device("cpu"), torch.device("cuda", 0)


def test_two_processes_make_the_clip_of_one(make: Any, plain: Any) -> None:
    one = {"model": "smoke"}
    assert float((make(Levers(parallel=2), **one) - plain(**one)).abs().max()) < 1e-5
    assert not torch.distributed.is_initialized()


def test_a_helper_that_cannot_start_is_told_and_ended() -> None:
    with pytest.raises(ArtifexError) as failed:
        parallel.Shared(torch.nn.Linear(1, 1), partial(int, "no number"), 2, CPU)
    assert "TypeError" in failed.value.because
    assert failed.value.code == "parallel"
    assert not torch.distributed.is_initialized()


@pytest.mark.parametrize(
    ("levers", "model", "tokens", "because"),
    [
        (Levers(parallel=2, cache=0.1), "smoke-moe", 96, "which steps to leave out"),
        (Levers(parallel=2, offload="model"), "smoke-moe", 96, "on its own card"),
        (Levers(parallel=2), "smoke-moe", 97, "97 tokens, which do not divide"),
        (Levers(parallel=2), "smoke-vace", 96, "no plan for sharing"),
    ],
)
def test_what_cannot_be_shared_is_refused(
    levers: Levers, model: str, tokens: int, because: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    with pytest.raises(ArtifexError) as refused:
        parallel.check(levers, CPU, catalogue.model(model), tokens)
    assert because in refused.value.because


@pytest.mark.parametrize(("device", "because"), [(CPU, "has 1 core"), (CARD, "has 1 card")])
def test_more_processes_than_places_are_refused(
    device: torch.device, because: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ArtifexError) as refused:
        parallel.check(Levers(parallel=2), device, catalogue.model("smoke-moe"), 96)
    assert because in refused.value.because


def test_one_process_needs_nothing() -> None:
    parallel.check(Levers(), CARD, catalogue.model("smoke-vace"), 97)

"""Compiled blocks give the same clip; a machine without a compiler says so."""

from __future__ import annotations

import shutil
from functools import partialmethod
from typing import Any

import pytest
import torch
from diffusers import WanTransformer3DModel
from torch._dynamo.utils import counters

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.levers import Levers


@pytest.fixture(autouse=True)
def fresh() -> None:
    torch._dynamo.reset()
    counters.clear()


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but the C++ compiler, which takes half a minute: blocks are traced and the traces are run."""
    compiled = partialmethod(WanTransformer3DModel.compile_repeated_blocks, backend="aot_eager")
    monkeypatch.setattr(WanTransformer3DModel, "compile_repeated_blocks", compiled)


def test_a_compiled_clip_is_the_same_clip(traced: None, make: Any, plain: Any) -> None:
    one = {"model": "smoke", "steps": 1}
    made = make(Levers(compile=True), **one)
    assert counters["stats"]["unique_graphs"] >= 1
    assert float((made - plain(**one)).abs().max()) < 1e-4


@pytest.mark.nightly
def test_blocks_that_are_cached_can_be_compiled(traced: None, make: Any) -> None:
    steps = {"model": "smoke", "steps": 5}
    both = make(Levers(compile=True, cache=0.3), **steps)
    assert counters["stats"]["unique_graphs"] >= 1
    assert float((both - make(Levers(cache=0.3), **steps)).abs().max()) < 1e-4


@pytest.mark.nightly
def test_a_clip_of_compiled_machine_code_is_the_same_clip(make: Any, plain: Any) -> None:
    one = {"model": "smoke", "steps": 1}
    assert float((make(Levers(compile=True), **one) - plain(**one)).abs().max()) < 1e-4


def test_a_machine_without_a_compiler_says_so(make: Any, hooks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ArtifexError, match="no C\\+\\+ compiler"):
        make(Levers(compile=True), hooks)
    assert hooks.stages == ["load"]

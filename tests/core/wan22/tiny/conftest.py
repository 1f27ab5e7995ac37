"""One very short training for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest

from artifexpro.core.errors import Cancelled
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.tiny.plan import Plan
from artifexpro.core.wan22.tiny.train import train

SIZE = (64, 64, 5)
SHORT = Plan(
    pictures=24,
    clips=2,
    small_latents=8,
    large_latents=4,
    words=4,
    places=2,
    heeds=2,
    small=10,
    large=3,
    pictures_batch=2,
    clips_batch=1,
    small_batch=8,
    large_batch=4,
    looks=0,
    prompts=1,
    steps=3,
    lesson=SIZE[:2],
    small_size=SIZE,
    large_sizes={SIZE: 1.0},
    scored=SIZE,
)


class Stopping(Silent):
    """Hooks whose audience leaves after so many checks."""

    def __init__(self, checks: int) -> None:
        self.left = checks

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model trained for seconds. Nobody writes to it."""
    folder = tmp_path_factory.mktemp("tiny") / "wan22-tiny"
    train(folder, SHORT, seed=1, compute="float32")
    return folder

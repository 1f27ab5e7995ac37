"""One stage of a training: steps of gradient descent that can be stopped anywhere and give the same all the same.

Every random choice of a step comes from (seed, stage, step) alone and a checkpoint holds all that a step changes, so a
course that was interrupted ends with the same weights. What is kept is the moving average of the weights, which is
better than the last ones.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.tiny.descent import Descent
from artifexpro.core.wan22.tiny.log import Log

if TYPE_CHECKING:
    from torch import Tensor

CHECKPOINT_SECONDS = 60.0
_STEEPEST = 1.0
"""Gradients are scaled down to this length."""
_WARMING = 0.05
"""Share of the steps in which the rate rises."""
_LOWEST = 0.03
"""Share of the rate at the end, after half a cosine."""
_AVERAGED = 0.998
LINES = 50
"""Lines that a course writes to the log, at most."""


@dataclass(frozen=True, slots=True)
class Course:
    """`loss` is asked once a step, with the step's number and a source of chance for it. `rate` is that of the
    descent at its highest.

    `compute` is the number format of the passes and of the descent's products ("float32" or "bfloat16"); weights are
    float32 always.
    """

    name: str
    modules: Mapping[str, Any]
    loss: Callable[[int, Any], Tensor]
    steps: int
    rate: float
    device: Any
    compute: str = "float32"


def chance(seed: int, name: str, step: int) -> Any:
    """The source of all chance in one step: a generator on the processor."""
    return torch.Generator("cpu").manual_seed(number(seed, name, step))


def number(seed: int, name: str, step: int) -> int:
    """A seed, 0..2**63 - 1, that no other step or stage has."""
    digest = hashlib.blake2b(f"{seed} {name} {step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def take(course: Course, seed: int, folder: Path, log: Log, hooks: Hooks, then: Callable[[int], None]) -> None:
    """Train `course.modules`, which have the averaged weights afterwards; a course of no steps does nothing. `folder`
    has the checkpoint; one that is there is gone on from. `then` is asked after every step, with the number of steps
    done, and may look at the modules.

    Raises what `hooks.check` raises before each step, with a checkpoint written.
    """
    if not course.steps:
        return
    descent = Descent(course.modules.values(), course.rate, course.compute)
    weights = descent.weights
    path = folder / f"{course.name}.pt"
    average = [weight.detach().clone() for weight in weights]
    done = _restore(path, course, descent, average)
    began, saved, total, lasted = time.monotonic(), time.monotonic(), 0.0, 0
    every = max(1, course.steps // LINES)
    try:
        for step in range(done, course.steps):
            hooks.check()
            with torch.autocast(course.device.type, torch.bfloat16, enabled=course.compute == "bfloat16"):
                loss = course.loss(step, chance(seed, course.name, step))
            descent.clear()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, _STEEPEST)
            descent.step(_share(step, course.steps))
            keeps = min(_AVERAGED, (1 + step) / (10 + step))
            torch._foreach_lerp_(average, [weight.detach() for weight in weights], 1 - keeps)
            done, total, lasted = step + 1, total + float(loss.detach()), lasted + 1
            hooks.progress(course.name, done, course.steps)
            if done % every == 0 or done == course.steps:
                seconds = round(time.monotonic() - began, 1)
                log.write(stage=course.name, step=done, of=course.steps, loss=total / lasted, seconds=seconds)
                total, lasted = 0.0, 0
            then(done)
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                _save(path, course, descent, average, done)
                saved = time.monotonic()
    finally:
        _save(path, course, descent, average, done)
    with torch.no_grad():
        for weight, kept in zip(weights, average, strict=True):
            weight.copy_(kept)


def _share(step: int, steps: int) -> float:
    warm = max(1, round(_WARMING * steps))
    if step < warm:
        return (step + 1) / warm
    return _LOWEST + (1 - _LOWEST) * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _save(path: Path, course: Course, descent: Descent, average: list[Tensor], done: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = done == course.steps
    state = {
        "steps": course.steps,
        "done": done,
        "average": average,
        "modules": {} if whole else {name: module.state_dict() for name, module in course.modules.items()},
        "descent": {} if whole else descent.state_dict(),
    }
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def _restore(path: Path, course: Course, descent: Descent, average: list[Tensor]) -> int:
    """Steps done by an earlier run of the same course."""
    if not path.is_file():
        return 0
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if state["steps"] != course.steps:
        return 0
    with torch.no_grad():
        for weight, kept in zip(average, state["average"], strict=True):
            weight.copy_(kept)
    if state["descent"]:
        for name, module in course.modules.items():
            module.load_state_dict(state["modules"][name])
        descent.load_state_dict(state["descent"])
    return int(state["done"])

"""Each step of one clip shared among the cards of one machine.

Context parallelism (Ulysses, arXiv 2309.14509, in diffusers): every process holds the network and a part of the
tokens, and attention exchanges heads for tokens, so that the answer is the answer of one process. The process that
makes the clip keeps its loop: a `Shared` network looks like any other, and hands each call on to helpers that were
started for this network and end with it.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.levers import Levers, refusal
from artifexpro.core.wan22.quiet import quiet
from artifexpro.core.wan22.s2v import layout

if TYPE_CHECKING:
    from torch import device as Device

_PATIENCE = timedelta(minutes=30)
_POLL = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """What one process needs to take part: `number` of `count`, where they meet, and which network to load.

    `load` is picklable and gives the network on its device.
    """

    number: int
    count: int
    meeting: str
    device: str
    load: Any


def check(levers: Levers, device: Device, model: ModelSpec, tokens: int) -> None:
    """Refuse to share among more processes than there are cards, or what cannot be shared.

    On a processor every process needs a core of its own. Raises `ArtifexError` (code "settings").
    """
    if levers.parallel == 1:
        return
    attempted = f"share each step among {levers.parallel} processes"
    if layout.network(model.transformer.kind)._cp_plan is None:
        raise refusal(attempted, f"diffusers has no plan for sharing {model.transformer.kind}", "one process")
    card = device.type == "cuda"
    places = torch.cuda.device_count() if card else (os.cpu_count() or 1)
    if places < levers.parallel:
        what = ("card" if card else "core") + ("s" if places != 1 else "")
        raise refusal(attempted, f"this machine has {places} {what}", f"{places} or fewer")
    if tokens % levers.parallel:
        raise refusal(
            attempted,
            f"a clip of this size has {tokens:,} tokens, which do not divide by that",
            "another size or length, or one process",
        )
    if levers.cache:
        raise refusal(attempted, "each would decide alone which steps to leave out", "no step cache, or one process")
    if levers.offload != "none":
        raise refusal(attempted, "each keeps its network on its own card", "no offload, or one process")


class Shared:
    """`network` of this process and those of its helpers, called as one. Everything else is the network's own."""

    def __init__(self, network: Any, load: Any, count: int, device: Device) -> None:
        """`load(device)` gives the same network in a helper; it is pickled. Returns when all are ready.

        Raises `ArtifexError` (code "parallel") with what a helper said where one cannot start.
        """
        self.network = network
        self._helpers = _Helpers(load, count, device)
        self._end = weakref.finalize(self, self._helpers.close)
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        _join(network, self._helpers.part(0))
        self._helpers.group = torch.distributed.group.WORLD

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def __call__(self, **arguments: Any) -> Any:
        self._helpers.call(arguments)
        return self.network(**arguments)

    def close(self) -> None:
        """End the helpers. Also happens when this is no longer used."""
        self._end()


class _Helpers:
    def __init__(self, load: Any, count: int, device: Device) -> None:
        from torch import multiprocessing

        spawn = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(prefix="artifexpro-parallel-")
        self._load, self._count, self._device = load, count, device
        self._lines: list[Any] = []
        self._processes: list[Any] = []
        self.group: Any = None
        for number in range(1, count):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=_serve, args=(self.part(number), theirs), daemon=True)
            process.start()
            theirs.close()
            self._lines.append(ours)
            self._processes.append(process)
        try:
            self._await_all()
        except BaseException:
            self.close()
            raise

    def part(self, number: int) -> Part:
        place = f"cuda:{number}" if self._device.type == "cuda" else "cpu"
        meeting = (Path(self._folder.name) / "meeting").as_uri()
        return Part(number, self._count, meeting, place, self._load if number else None)

    def _await_all(self) -> None:
        for line, process in zip(self._lines, self._processes, strict=True):
            while not line.poll(_POLL):
                if not process.is_alive():
                    raise _lost("it ended while it was starting")
            said = line.recv()
            if said != "ready":
                raise _lost(said)

    def call(self, arguments: dict[str, Any]) -> None:
        for line, process in zip(self._lines, self._processes, strict=True):
            if not process.is_alive() or line.poll():
                raise _lost(line.recv() if line.poll() else "it ended")
            line.send(_elsewhere(arguments, "cpu"))

    def close(self) -> None:
        for line in self._lines:
            try:
                line.send(None)
            except OSError:
                continue
        if self.group is not None and self.group is torch.distributed.group.WORLD:
            torch.distributed.destroy_process_group()
        for line, process in zip(self._lines, self._processes, strict=True):
            process.join(timeout=10)
            if process.is_alive():
                process.kill()
                process.join()
            line.close()
        self._folder.cleanup()


def _serve(part: Part, line: Any) -> None:
    """A helper's life: load, join, answer calls until told to end."""
    try:
        if part.device == "cpu":
            torch.set_num_threads(max(1, (os.cpu_count() or 1) // part.count))
        network = part.load(torch.device(part.device))
        line.send("ready")
        _join(network, part)
        while (arguments := line.recv()) is not None:
            with torch.no_grad():
                network(**_elsewhere(arguments, part.device))
        torch.distributed.destroy_process_group()
    except EOFError:
        return
    except Exception as error:  # whatever it was, the clip's process must hear it
        line.send(f"{type(error).__name__}: {error}")


def _join(network: Any, part: Part) -> None:
    from diffusers import ContextParallelConfig

    card = part.device != "cpu"
    if card:
        torch.cuda.set_device(part.device)
    torch.distributed.init_process_group(
        "nccl" if card else "gloo",
        init_method=part.meeting,
        rank=part.number,
        world_size=part.count,
        timeout=_PATIENCE,
    )
    with quiet(), _counted(part):
        network.enable_parallelism(config=ContextParallelConfig(ulysses_degree=part.count))


@contextmanager
def _counted(part: Part) -> Iterator[None]:
    """diffusers 0.42 divides by torch's number of accelerators, and a processor is none."""
    if part.device != "cpu":
        yield
        return
    before = torch.accelerator.device_count
    torch.accelerator.device_count = lambda: part.count
    try:
        yield
    finally:
        torch.accelerator.device_count = before


def _elsewhere(value: Any, device: str) -> Any:
    if isinstance(value, dict):
        return {name: _elsewhere(each, device) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_elsewhere(each, device) for each in value)
    return value.to(device) if torch.is_tensor(value) else value


def _lost(said: str) -> ArtifexError:
    return ArtifexError(
        "share each step among several processes",
        f"one of them failed: {said}",
        "one process",
        code="parallel",
    )

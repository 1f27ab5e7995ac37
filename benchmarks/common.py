"""What all benchmarks share: the machine they ran on, medians, and the shape of their answer."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil  # type: ignore[import-untyped]

from artifexpro.core.version import VERSION


@dataclass(frozen=True)
class Figure:
    """One figure: a median of one run beside the median of its peer in the same run, both in `unit`.

    `target` is what the project promises, in words that can be checked; empty where nothing is promised.
    """

    name: str
    value: float
    unit: str
    target: str
    peer: str
    peer_value: float
    note: str

    @property
    def ratio(self) -> float:
        return self.value / self.peer_value


def figure(
    name: str,
    values: Sequence[float],
    unit: str,
    *,
    peer: str,
    peers: Sequence[float],
    target: str = "",
    note: str = "",
) -> Figure:
    """A figure from the measurements of one run."""
    return Figure(name, round(median(values), 4), unit, target, peer, round(median(peers), 4), note)


def machine() -> dict[str, Any]:
    """Where the figures were measured."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "ram_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load": [round(each, 2) for each in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "artifexpro": VERSION,
    }


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def tell(figures: Sequence[Figure], *, as_json: bool) -> None:
    """Print the run: one JSON document, or lines for people."""
    if as_json:
        print(json.dumps({"machine": machine(), "figures": [asdict(each) for each in figures]}, indent=2))
        return
    about = machine()
    print(f"{about['processor']}, {about['cores']} cores, {about['ram_gb']} GB, load {about['load']}")
    for each in figures:
        peer = f"{each.peer} {each.peer_value:g} {each.unit}, {each.ratio:.2f} times"
        target = f"; target {each.target}" if each.target else ""
        print(f"{each.name:24} {each.value:g} {each.unit} ({peer}{target})")
        if each.note:
            print(f"{'':24} {each.note}")

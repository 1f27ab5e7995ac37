"""What the daemon's machine has, found out without torch.

The card is asked for by a worker that starts, looks and ends (`python -m artifexpro.daemon.probe`): only torch knows
which cards it can use, and torch never enters the daemon.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

PROBE_SECONDS = 120.0


@dataclass(frozen=True)
class Probe:
    """What a worker sees. `cards` are (name, gigabytes of memory); `problem` is why it could not look."""

    torch: str = ""
    cards: tuple[tuple[str, float], ...] = ()
    problem: str = ""


def probe() -> Probe:
    """Start a process that imports torch and looks; takes seconds."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "artifexpro.daemon.probe"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Probe(problem=f"looking took longer than {PROBE_SECONDS:.0f} seconds")
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return Probe(problem=last[0] if last else f"it ended with status {done.returncode}")
    found = json.loads(done.stdout)
    return Probe(found["torch"], tuple((name, float(size)) for name, size in found["cards"]))


def ram_gb() -> float:
    return float(psutil.virtual_memory().total) / 1e9

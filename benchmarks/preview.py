"""How long a viewer waits while a slider is dragged: `python -m artifexpro.benchmarks.preview`.

A real daemon with its viewing process, and a real host's client over the bridge. A parameter of the 12-node look (see
`benchmarks.look`) changes 50 times a second; the viewer shows it at 480 x 270. The clock of a change starts when the
host begins to send it and stops when the pixels of the first picture that has it can be read in the host. A change
that a newer one took the place of waits for the newer one's picture, so nothing is left out.

Where a picture of that size would come late, one of half its width and height or less comes first, as it does for an
artist; the notes say how often.

The floor is what nobody can go below: a question to the daemon and its answer, and copying one picture.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from artifexpro.benchmarks.common import Figure, tell
from artifexpro.benchmarks.look import FIRST, FRAMES, HD, RESULT, Size, look12
from artifexpro.hosts.bridge.client import Client
from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.bridge.preview import Picture, Preview

SCALE = 0.25
CHANGES = 300
CHANGES_A_SECOND = 50
TARGET_MS = 50
WARM_UP = 30
PATIENCE_SECONDS = 60.0
DRAGS = {
    "preview.drag": ("corrector", "exposure", -1.0, 1.0, "the last of three grades, in the middle of the look"),
    "preview.drag_first": ("move", "rotate", -10.0, 10.0, "the first node after the plate"),
    "preview.drag_last": ("grain", "intensity", 0.0, 0.1, "the last node before the view"),
}


@dataclass
class Drag:
    """What one drag measured: milliseconds of each change, and how many pictures came, small ones among them."""

    milliseconds: list[float] = field(default_factory=list)
    pictures: int = 0
    small: int = 0

    @property
    def p95(self) -> float:
        return quantiles(self.milliseconds, n=20)[-1]


class Viewer:
    """A host that shows a preview as soon as there is one."""

    def __init__(self, client: Client, document: dict[str, Any]) -> None:
        self._news = threading.Event()
        self._preview = Preview(client, document, RESULT, scale=SCALE, ready=self._news.set)

    def drag(self, node: str, parameter: str, low: float, high: float, changes: int) -> Drag:
        """Change a parameter back and forth at a steady pace, and wait for the last picture."""
        found = Drag()
        sent: dict[int, float] = {}
        began = perf_counter()
        for number in range(changes):
            share = abs(number % 40 - 20) / 20
            self._show_until(began + number / CHANGES_A_SECOND, sent, found)
            now = perf_counter()
            self._preview.edit(node, {parameter: low + (high - low) * share + number * 1e-6})
            sent[self._preview.look(FIRST)] = now
        self._show_until(perf_counter() + PATIENCE_SECONDS, sent, found, stop_at_last=True)
        if sent:
            raise RuntimeError(f"{len(sent)} changes were never shown: {self._preview.problem}")
        return found

    def settle(self) -> Picture:
        """Look once and wait for the final picture."""
        self._preview.look(FIRST)
        until = perf_counter() + PATIENCE_SECONDS
        while perf_counter() < until:
            picture = self._next(until)
            if picture is not None and picture.final:
                return picture
        raise RuntimeError(f"no picture came: {self._preview.problem}")

    def close(self) -> None:
        self._preview.close()

    def _show_until(self, until: float, sent: dict[int, float], found: Drag, *, stop_at_last: bool = False) -> None:
        while perf_counter() < until and (sent or not stop_at_last):
            picture = self._next(until)
            if picture is None:
                continue
            now = perf_counter()
            found.pictures += 1
            found.small += picture.scale < SCALE
            for number in [number for number in sent if number <= picture.look]:
                found.milliseconds.append((now - sent.pop(number)) * 1000)

    def _next(self, until: float) -> Picture | None:
        if not self._news.wait(max(0.0, until - perf_counter())):
            return None
        self._news.clear()
        return self._preview.take()


@contextmanager
def viewer(folder: Path, size: Size = HD, frames: int = FRAMES) -> Iterator[tuple[Client, Viewer]]:
    """A daemon in a process of its own with its home in `folder`, and a host that looks at the 12-node look."""
    document = look12(folder, size, frames).to_json()
    command = [sys.executable, "-m", "artifexpro.daemon", "--home", str(folder / "home")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        try:
            assert daemon.stdout is not None
            if not daemon.stdout.readline():
                raise RuntimeError("the daemon did not start; its reason stands above")
            with Client(folder / "home", name="bench") as client:
                client.connect(start=False)
                shown = Viewer(client, document)
                yield client, shown
                shown.close()
        finally:
            daemon.terminate()
            daemon.wait(30)


def floor(client: Client, picture: Picture, rounds: int = 100) -> list[float]:
    """Milliseconds of a question that asks nothing, and of one copy of the picture."""
    taken = []
    for _ in range(rounds):
        began = perf_counter()
        client.request("daemon.status")
        bytearray(picture.frame.pixels)
        taken.append((perf_counter() - began) * 1000)
    return taken


def measure(
    folder: Path, changes: int = CHANGES, size: Size = HD, frames: int = FRAMES
) -> tuple[dict[str, Drag], list[float]]:
    """Each drag, and the floor, in one run."""
    with viewer(folder, size, frames) as (client, shown):
        picture = shown.settle()
        drags = {}
        for name, (node, parameter, low, high, _) in DRAGS.items():
            shown.drag(node, parameter, low, high, WARM_UP)
            drags[name] = shown.drag(node, parameter, low, high, changes)
        return drags, floor(client, picture)


def figures(changes: int = CHANGES) -> list[Figure]:
    """The 95th percentile and the median of each drag, beside the floor."""
    with tempfile.TemporaryDirectory(prefix="artifexpro-bench-") as folder:
        drags, least = measure(Path(folder), changes)
    made = []
    for name, drag in drags.items():
        about = f"{DRAGS[name][4]}: {drag.pictures} pictures for {len(drag.milliseconds)} changes"
        small = f", {drag.small} of them small ones that came first" if drag.small else ""
        target = f"<= {TARGET_MS} ms" if name == "preview.drag" else ""
        made.append(_figure(f"{name}_p95_ms", drag.p95, least, target, f"{about}{small}"))
        made.append(_figure(f"{name}_ms", median(drag.milliseconds), least, "", "the median of the same changes"))
    return made


def _figure(name: str, value: float, least: Sequence[float], target: str, note: str) -> Figure:
    return Figure(name, round(value, 2), "ms", target, "floor", round(median(least), 3), note)


def main(arguments: Sequence[str]) -> int:
    try:
        tell(figures(), as_json="--json" in arguments)
    except (BridgeError, RuntimeError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

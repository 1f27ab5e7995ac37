"""Drives Blender's compositor as a peer, in a process of its own, beside ours."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from artifexpro.benchmarks import look

TREE = Path(__file__).resolve().parents[1]
INSIDE = Path(__file__).with_name("blender_compositor.py")
SERIES = "5.0"
GRAPH, EMPTY = "graph", "empty"


def find() -> Path:
    """A Python with Blender 5.0's module: from the folder that ARTIFEXPRO_BLENDERS names, else from .venv-blender of
    this checkout. Raises `RuntimeError` with what to do where there is none."""
    folder = Path(os.environ.get("ARTIFEXPRO_BLENDERS", TREE / ".venv-blender"))
    inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    found = sorted(folder.glob(f"{SERIES}.*/{inside}"))
    if not found:
        raise RuntimeError(
            f"Blender {SERIES} is not in {folder}: `python3 installers/bootstrap.py test` puts it there, or name the "
            "folder that has it in ARTIFEXPRO_BLENDERS"
        )
    return found[-1]


class Blender:
    """A Blender that has built the graph of `look.equal`, and one that hands its foreground on untouched."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, size: look.Size) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._to: IO[str] = process.stdin
        self._from: IO[str] = process.stdout
        front, behind = look.stills(folder, size)
        images = {"front": str(front), "behind": str(behind)}
        told = self._ask("build", scene=GRAPH, images=images, graph=graph(), result=look.RESULT, size=size)
        self._ask("build", scene=EMPTY, images=images, graph=[], result="front", size=size)
        self.version: str = told["blender"]
        self.threads: int = told["threads"]

    def render(self, frame: int) -> float:
        """Seconds of the call that renders a frame of the graph."""
        return float(self._ask("render", scene=GRAPH, set=_exposed(frame))["seconds"])

    def render_empty(self) -> float:
        """Seconds of the same call where there is nothing to compute: what a call costs anyway."""
        return float(self._ask("render", scene=EMPTY)["seconds"])

    def save(self, frame: int, path: Path) -> None:
        """Render a frame of the graph to an EXR of 32 bit floats."""
        self._ask("save", scene=GRAPH, set=_exposed(frame), path=str(path))

    def _ask(self, do: str, **about: Any) -> dict[str, Any]:
        try:
            print(json.dumps({"do": do, **about}), file=self._to, flush=True)
            line = self._from.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"Blender ended while it was to {do}; its reason stands above")
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def running(folder: Path, size: look.Size) -> Iterator[Blender]:
    """Blender in a process of its own. Raises `RuntimeError` where it is not there or ends by itself."""
    hidden = {"PYTHONPATH", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["BLENDER_USER_RESOURCES"] = str(folder / "blender")
    with (folder / "blender.log").open("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            [str(find()), str(INSIDE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env=environment,
        )
        try:
            yield Blender(process, folder, size)
        except RuntimeError as error:
            said.seek(0)
            last = " ".join(said.read().split())[-400:]
            raise RuntimeError(f"{error}: {last}" if last else str(error)) from None
        finally:
            process.kill()
            process.wait()


def graph() -> list[list[Any]]:
    """The nodes of `look.equal` as Blender has them. Its gaussian's size is three standard deviations, where it ends;
    ours ends at four."""
    reach = 3 * look.SIGMA
    nodes: list[list[Any]] = [
        ["exposure", "CompositorNodeExposure", {"Exposure": 0.0}, {"Image": "front"}],
        ["blur", "CompositorNodeBlur", {"Type": "Gaussian", "Size": [reach, reach]}, {"Image": "exposure"}],
        ["over", "CompositorNodeAlphaOver", {}, {"Foreground": "blur", "Background": "behind"}],
    ]
    for (name, balance), source in zip(look.BALANCES.items(), ("over", *look.BALANCES), strict=False):
        values: dict[str, Any] = {"Type": "Offset/Power/Slope (ASC-CDL)"}
        values |= {f"Color {part.capitalize()}": [*value, 1.0] for part, value in balance.items()}
        nodes.append([name, "CompositorNodeColorBalance", values, {"Image": source}])
    turned = {"Hue": 0.5 + look.HUE / 360, "Saturation": look.SATURATION, "Value": look.VALUE}
    nodes.append([look.RESULT, "CompositorNodeHueSat", turned, {"Image": "balance3"}])
    return nodes


def _exposed(frame: int) -> dict[str, Any]:
    return {"exposure": {"Exposure": look.exposure_at(frame)}}

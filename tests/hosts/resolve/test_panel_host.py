"""Resolve as the panel sees it, and how Python finds Resolve. No daemon: a finished job and a real movie are enough."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.bridge.jobs import FINISHED, Job
from artifexpro.hosts.resolve import luts, studio
from artifexpro.hosts.resolve.hands import Direct
from artifexpro.hosts.resolve.panel import InResolve
from tests.hosts.resolve.conftest import put_clip
from tests.hosts.resolve.standin import pictures

START = 86400


def movie(path: Path, count: int, rate: int = 24) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=Fraction(rate))
        stream.width = stream.height = 32
        for _ in range(count):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        out.mux(stream.encode())
    return path


def finished(place: dict[str, Any], path: Path, count: int) -> Job:
    clip = {"role": "clip", "path": str(path), "frames": {"first": 1, "last": count}, "rate": {"num": 24, "den": 1}}
    request = {"work": {"document": {"nodes": {"clip": {"params": {"seed": 3}}}}}}
    return Job("k" * 8, "a cat", request, place, FINISHED, "j1", result={"artefacts": [clip]})


@pytest.fixture
def panel(make_host: Any, tmp_path: Path) -> Any:
    host = make_host()
    return InResolve(Direct(lambda: host.scriptapp("Python")), tmp_path, host.luts), host


def test_the_place_is_frozen_and_the_clip_comes_there_once(panel: Any, tmp_path: Path) -> None:
    inside, host = panel
    put_clip(host, 1, START, 3)
    place = inside.place()
    host.project.edit.playhead = START + 50
    job = finished(place, movie(tmp_path / "clip.mov", 5), 5)
    assert "On V2 at 01:00:00:00." in inside.deliver(job)
    assert "It was on V2 already" in inside.deliver(job)
    assert [(item.start, item.end) for item in host.project.edit.video[1].items] == [(START, START + 5)]
    assert place["target"] == {"host": "resolve", "document": "Schnitt Ω", "channel": 2, "frame": START}
    inside.reveal(job)
    assert host.project.edit.playhead == START


def test_a_clip_longer_than_what_is_free_goes_up(panel: Any, tmp_path: Path) -> None:
    inside, host = panel
    put_clip(host, 1, START + 3, 10)
    job = finished(inside.place(), movie(tmp_path / "clip.mov", 5), 5)
    assert "V1 was taken meanwhile." in inside.deliver(job)
    assert len(host.project.edit.video[1].items) == 1


def test_a_picture_is_offered_where_a_clip_is(panel: Any, tmp_path: Path) -> None:
    inside, host = panel
    assert inside.picture() is None
    pictures.write(tmp_path / "still.png", np.ones((8, 8, 3), np.float32))
    put_clip(host, 1, START, 3, str(tmp_path / "still.png"), frames=1)
    assert Path(inside.picture()).stat().st_size > 0


def test_what_is_not_there_cannot_be_shown(panel: Any, tmp_path: Path) -> None:
    inside, _ = panel
    with pytest.raises(BridgeError, match="it is not on the timeline"):
        inside.reveal(finished(inside.place(), tmp_path / "x.mov", 5))


def test_resolve_that_put_it_elsewhere_gets_it_taken_away(panel: Any, tmp_path: Path, monkeypatch: Any) -> None:
    from tests.hosts.resolve.standin.media import MediaPool

    inside, host = panel
    append = MediaPool.AppendToTimeline
    monkeypatch.setattr(
        MediaPool, "AppendToTimeline", lambda pool, infos: append(pool, [{**infos[0], "recordFrame": START + 7}])
    )
    job = finished(inside.place(), movie(tmp_path / "clip.mov", 5), 5)
    with pytest.raises(BridgeError, match="and was taken away again") as trouble:
        inside.deliver(job)
    assert trouble.value.code == "misplaced" and host.project.edit.video[0].items == []


def test_python_finds_resolves_own_module(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, studio.MODULE, raising=False)
    monkeypatch.setenv("RESOLVE_SCRIPT_API", str(tmp_path))
    assert studio.connect() is None
    (tmp_path / "Modules").mkdir()
    (tmp_path / "Modules" / f"{studio.MODULE}.py").write_text("def scriptapp(name):\n    return f'the {name}'\n")
    import importlib

    importlib.invalidate_caches()
    assert studio.connect() == "the Resolve"
    monkeypatch.setattr(sys.modules["__main__"], "resolve", "given", raising=False)
    assert studio.connect() == "given"
    monkeypatch.delitem(sys.modules, studio.MODULE, raising=False)


def test_folders_are_those_of_each_system(monkeypatch: Any) -> None:
    monkeypatch.setenv("PROGRAMDATA", "/data")
    assert luts.master_folder("linux") == Path("/opt/resolve/LUT")
    assert luts.master_folder("darwin").parts[1:3] == ("Library", "Application Support")
    assert luts.master_folder("win32").parts[-2:] == ("Support", "LUT")
    assert studio.modules_folder("linux", {}) == Path("/opt/resolve/Developer/Scripting/Modules")
    assert studio.modules_folder("win32", {"PROGRAMDATA": "/data"}).is_relative_to("/data")
    assert studio.modules_folder("darwin", {}).name == "Modules"


def test_the_documents_example_names_what_is_there(tree: Path) -> None:
    text = (tree / "docs" / "resolve.md").read_text(encoding="utf-8")
    example = text.split("```python\n")[1].split("```")[0]
    imports = [line for line in example.splitlines() if line.startswith("from ")]
    names: dict[str, Any] = {}
    exec("\n".join(imports), names)
    assert names["Wish"].of({"prompt": "a red kite over the sea", "frames": 41, "handles": 8}).handles == 8
    assert {"ask", "pump", "busy"} <= set(dir(names["Adapter"]))

"""Both ways into the stand-in, behind one face, so that each scenario runs through both: Python in the Studio edition,
and in the free one the Lua script in a real LuaJIT with its companion, a process of its own that the script starts."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.resolve import script
from artifexpro.hosts.resolve.adapter import Adapter
from artifexpro.hosts.resolve.companion import session_for
from artifexpro.hosts.resolve.hands import Direct, get
from artifexpro.hosts.resolve.wishes import Wish
from tests.hosts.model import MODEL
from tests.hosts.resolve.standin import lua, pictures
from tests.hosts.resolve.standin.host import FREE, STUDIO, StandIn
from tests.hosts.resolve.standin.state import Clip, Item

PATIENCE = 240.0
WAYS = ("python", "lua", "lua without ffi and package")
SMALL = {"model": MODEL, "frames": 5, "steps": 2, "width": 64, "height": 64, "seed": 1}
"""A clip of 64 x 64 pixels in two steps."""


class Way:
    """A way into `host`: asks, pumps, tells."""

    def __init__(self, host: StandIn, home: Path, folder: Path) -> None:
        self.host = host
        self.home = home
        self.folder = folder
        self.start()

    def start(self) -> None: ...

    def stop(self) -> None:
        """As when Resolve is closed: no more pumping, and what the way knew is gone."""

    def say(self, **wish: Any) -> dict[str, Any]:
        """A wish, and what was answered: "said", "key" where there is a job."""
        raise NotImplementedError

    def pump(self) -> None:
        raise NotImplementedError

    def jobs(self) -> list[dict[str, Any]]:
        raise NotImplementedError

    def ask(self, prompt: str = "a red kite over the sea", **more: Any) -> str:
        """A small clip; its key."""
        reply = self.say(**{**SMALL, "prompt": prompt, **more})
        assert "key" in reply, reply["said"]
        return str(reply["key"])

    def ask_still(self) -> Path:
        """A picture on disk."""
        path = self.folder / "still.png"
        pictures.write(path, np.full((64, 64, 3), 0.5, np.float32))
        return path

    def job(self, key: str) -> dict[str, Any]:
        return next((job for job in self.jobs() if job["key"] == key), {"state": "", "said": ""})

    def until(self, done: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.pump()
            if value := done():
                return value
            time.sleep(0.01)
        raise AssertionError(f"it did not happen: {self.jobs()}")

    def wait(self, key: str, state: str = "delivered") -> dict[str, Any]:
        """Pump until the job is in that state."""
        ends = {state, "failed", "delivered", "cancelled"}
        job: dict[str, Any] = self.until(lambda: self.job(key)["state"] in ends and self.job(key))
        assert job["state"] == state, job
        return job


class ByPython(Way):
    def start(self) -> None:
        session = session_for(self.home, start=False)
        self.adapter = Adapter(
            Direct(lambda: self.host.scriptapp("Python")), session, self.home / "resolve", self.host.luts
        )

    def stop(self) -> None:
        self.adapter.close()

    def say(self, **wish: Any) -> dict[str, Any]:
        try:
            if wish.get("kind") == "cancel":
                self.adapter.cancel(self.adapter.job(wish["key"]))
                return {"said": "It will stop."}
            if wish.get("kind") == "again":
                asked = self.adapter.again(self.adapter.job(wish["key"]), wish.get("seed"))
            elif wish.get("kind") == "cdl":
                return {
                    "said": self.adapter.cdl(*(wish[n] for n in ("node", "slope", "offset", "power", "saturation")))
                }
            else:
                if wish.pop("under_playhead", False):
                    wish["image"] = str(self.adapter.still())
                asked = self.adapter.ask(Wish.of(wish))
        except BridgeError as refusal:
            return {"said": refusal.sentence(), "refused": True}
        return {"said": asked.said, **({"key": asked.job.key} if asked.job else {})}

    def pump(self) -> None:
        self.adapter.pump()

    def jobs(self) -> list[dict[str, Any]]:
        return [
            {"key": job.key, "title": job.title, "state": job.state, "job": job.job, "said": job.message}
            for job in self.adapter.session.book
        ]


class ByLua(Way):
    without: tuple[str, ...] = ()

    def start(self) -> None:
        self.mail = self.folder / "mail with 'quotes' and ü"
        for name in ("orders", "answers", "wishes", "replies"):
            (self.mail / name).mkdir(parents=True, exist_ok=True)
        launcher = self.folder / "python"
        if not launcher.exists():
            launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@" --luts "{self.host.luts}"\n')
            launcher.chmod(0o755)
        runtime = lua.runtime(self.host.scriptapp("Lua"), without=self.without)
        self.script = runtime.execute(script.console(self.mail, str(launcher), self.home))
        self.table = runtime.table_from
        self.script.work(0)

    def stop(self) -> None:
        os.kill(get(self.mail / "companion.json")["pid"], signal.SIGKILL)
        for name in ("companion", "hands", "news"):
            (self.mail / f"{name}.json").unlink(missing_ok=True)

    def say(self, **wish: Any) -> dict[str, Any]:
        name = self.script.wish(self.table(wish, recursive=True))
        reply = self.mail / "replies" / name
        self.until(reply.exists)
        said: dict[str, Any] = get(reply)
        return said

    def pump(self) -> None:
        self.script.round()

    def jobs(self) -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = (get(self.mail / "news.json") or {"jobs": []})["jobs"]
        return jobs


class ByBareLua(ByLua):
    without = ("ffi", "jit", "package", "require", "bmd", "debug")


KINDS: dict[str, tuple[type[Way], str]] = {
    WAYS[0]: (ByPython, STUDIO),
    WAYS[1]: (ByLua, FREE),
    WAYS[2]: (ByBareLua, FREE),
}


@pytest.fixture
def make_host(tmp_path: Path) -> Callable[..., StandIn]:
    """A Resolve with a project and an empty timeline of `rate` in it."""

    def make(rate: str = "24", product: str = STUDIO, tracks: int = 2, name: str = "Der Film, 映画") -> StandIn:
        host = StandIn(tmp_path / "resolve", product)
        project = host.scriptapp("Lua").GetProjectManager().CreateProject(name)
        project.SetSetting("timelineFrameRate", rate)
        timeline = project.GetMediaPool().CreateEmptyTimeline("Schnitt Ω")
        for _ in range(tracks - 1):
            timeline.AddTrack("video")
        return host

    return make


both_ways = pytest.mark.parametrize("way_of", WAYS[:2], indirect=True)
every_way = pytest.mark.parametrize("way_of", WAYS, indirect=True)


@pytest.fixture(params=[WAYS[0], pytest.param(WAYS[1], marks=pytest.mark.nightly)])
def way_of(
    request: pytest.FixtureRequest, make_host: Callable[..., StandIn], daemon_home: Path, tmp_path: Path
) -> Iterator[Callable[..., Way]]:
    """A way into a new stand-in: by Python, nightly by Lua too; `both_ways` and `every_way` ask for more."""
    kind, product = KINDS[request.param]
    made: list[Way] = []

    def make(**host: Any) -> Way:
        made.append(kind(make_host(product=product, **host), daemon_home, tmp_path))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def way(way_of: Callable[..., Way]) -> Way:
    return way_of()


def put_clip(host: StandIn, track: int, start: int, length: int, path: str = "", frames: int = 1000) -> Item:
    """A clip of the artist's on the open timeline, at the timeline's own rate."""
    assert host.project is not None and host.project.edit is not None
    edit = host.project.edit
    clip = Clip("her clip", path, edit.rate, frames, (64, 64))
    host.project.root.clips.append(clip)
    item = Item("her clip", start, start + length, clip, 0)
    edit.video[track - 1].items.append(item)
    return item

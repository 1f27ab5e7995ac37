"""What cannot be asked for as things are in Resolve gets a sentence, and nothing is half done. Through both ways."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.resolve.adapter import Adapter
from artifexpro.hosts.resolve.companion import session_for
from artifexpro.hosts.resolve.hands import Direct
from artifexpro.hosts.resolve.wishes import Wish
from tests.hosts.resolve.conftest import SMALL, Way, both_ways, put_clip
from tests.hosts.resolve.standin.host import FREE, StandIn

CLIP = {**SMALL, "prompt": "a cat"}


def close_project(host: StandIn) -> None:
    host.project = None


def close_timeline(host: StandIn) -> None:
    assert host.project is not None
    host.project.current = -1


def lock(host: StandIn) -> None:
    assert host.project is not None and host.project.edit is not None
    host.project.edit.video[0].locked = True


def message(host: StandIn) -> None:
    host.modal = True


def nothing(host: StandIn) -> None: ...


CASES = [
    (close_project, CLIP, "no project is open in Resolve"),
    (close_timeline, CLIP, "the project has no timeline open"),
    (lock, {**CLIP, "track": 1}, "track V1 is locked"),
    (nothing, {**CLIP, "track": 9}, "the timeline has 2 video tracks"),
    (lambda host: put_clip(host, 1, 86402, 9), {**CLIP, "track": 1}, "a clip is there"),
    (lambda host: put_clip(host, 1, 86400, 9), {**CLIP, "kind": "gap", "frames": 0}, "the playhead is on a clip there"),
    (nothing, {**CLIP, "kind": "gap", "frames": 0}, "no clip comes after the playhead"),
    (message, CLIP, "as it does while a message box is open"),
    (nothing, {**CLIP, "prompt": ""}, "the prompt is empty"),
    (nothing, {**CLIP, "colour": "red"}, "wishes have no colour"),
    (nothing, {"kind": "again", "key": "none"}, "no job here has that key"),
]


@both_ways
def test_each_has_its_sentence(way: Way) -> None:
    project = way.host.project
    assert project is not None and project.edit is not None
    for change, wish, said in CASES:
        change(way.host)
        reply = way.say(**wish)
        assert said in reply["said"], (said, reply)
        assert reply["said"].startswith("Attempted to") and ". Try " in reply["said"] and reply["refused"]
        way.host.project, way.host.modal, project.current = project, False, 0
        for track in project.edit.video:
            track.locked, track.items = False, []
    assert way.jobs() == []
    assert project.root.bins == [] and len(project.edit.video) == 2


def adapter_of(host: StandIn, home: Path, *, start: bool = False) -> Adapter:
    return Adapter(Direct(lambda: host.scriptapp("Python")), session_for(home, start=start), home, host.luts)


def test_python_in_the_free_edition_points_to_the_script(make_host: Any, tmp_path: Path) -> None:
    adapter = adapter_of(make_host(product=FREE), tmp_path)
    with pytest.raises(BridgeError, match="later run only Lua scripts") as no:
        adapter.ask(Wish.of(CLIP))
    assert "Workspace > Scripts > ArtifexPro" in str(no.value)


def test_no_studio_only_call_is_ever_made(make_host: Any, tmp_path: Path) -> None:
    """In the free edition of a release that lets Python in, nothing this adapter does opens a message box."""
    host = make_host(product=FREE)
    host.version = (20, 0, 0)
    adapter = adapter_of(host, tmp_path)
    adapter.ask(Wish.of(CLIP))
    put_clip(host, 2, 86400, 9)
    adapter.cdl(1, [1.0] * 3, [0.0] * 3, [1.0] * 3, 1.0)
    assert not host.modal


def test_without_a_daemon_the_job_waits_and_the_reason_is_told(make_host: Any, tmp_path: Path) -> None:
    adapter = adapter_of(make_host(), tmp_path / "home")
    job = adapter.ask(Wish.of(CLIP)).job
    assert job is not None
    for _ in range(400):
        adapter.pump()
        if adapter.session.trouble:
            break
        time.sleep(0.01)
    assert "Attempted to" in adapter.session.trouble and job.state == "waiting"
    adapter.cancel(job)
    assert job.state == "cancelled"


def test_a_resolve_that_closed_is_looked_for_again(make_host: Any, tmp_path: Path) -> None:
    hosts = [make_host()]
    adapter = Adapter(
        Direct(lambda: hosts[-1].scriptapp("Python")), session_for(tmp_path, start=False), tmp_path, hosts[0].luts
    )
    adapter.edit()
    name = hosts[0].project.name
    hosts[0].save()
    hosts[0].quit()
    with pytest.raises(BridgeError, match="it was closed"):
        adapter.edit()
    hosts.append(StandIn(hosts[0].luts.parent))
    hosts[1].load(name)
    assert adapter.edit().project_name == name


def test_a_render_left_behind_is_taken_out_of_the_queue_at_the_next_start(make_host: Any, tmp_path: Path) -> None:
    host = make_host()
    put_clip(host, 1, 86400, 5)
    first = adapter_of(host, tmp_path)
    first.ask(Wish.of({**CLIP, "kind": "take", "frames": 0}))
    (ours,) = host.project.jobs
    assert adapter_of(host, tmp_path).edit().project == host.project.id
    assert ours not in host.project.jobs

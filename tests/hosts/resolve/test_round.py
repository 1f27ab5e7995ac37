"""The whole round through both ways into Resolve, with a real daemon at the other end of a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.resolve.conftest import Way, both_ways, every_way, put_clip
from tests.hosts.resolve.standin.host import StandIn
from tests.hosts.resolve.standin.state import Item

START = 86400


def items(way: Way, track: int) -> list[Item]:
    assert way.host.project is not None and way.host.project.edit is not None
    return list(way.host.project.edit.video[track - 1].items)


def marks(item: Item) -> list[str]:
    return [marker["customData"] for marker in item.markers.values()]


def playhead(way: Way, frame: int) -> None:
    assert way.host.project is not None and way.host.project.edit is not None
    way.host.project.edit.playhead = frame


def reopen(way: Way, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Quit Resolve; another one opens the project as it was saved."""
    folder, product = way.host.luts.parent, way.host.product
    name = way.host.names()[0]
    way.stop()
    way.host.quit()
    way.host = StandIn(folder, product)
    assert way.host.load(name)
    meanwhile()
    way.start()


def shelved(way: Way) -> Path:
    assert way.host.project is not None
    return way.home / "resolve" / "projects" / f"{way.host.project.id}.json"


def lock(host: StandIn, locked: bool) -> None:
    assert host.project is not None and host.project.edit is not None
    host.project.edit.video[0].locked = locked


def message(host: StandIn, shown: bool) -> None:
    host.modal = shown


def other_timeline(host: StandIn) -> None:
    resolve = host.scriptapp("Lua")
    assert resolve is not None
    resolve.GetProjectManager().GetCurrentProject().GetMediaPool().CreateEmptyTimeline("another")


def back(host: StandIn) -> None:
    assert host.project is not None
    host.project.current = 0


@every_way
def test_a_clip_lands_at_the_playhead_with_its_job_on_it(way: Way) -> None:
    playhead(way, START + 48)
    key = way.ask()
    playhead(way, START)
    job = way.wait(key)
    (item,) = items(way, 1)
    assert (item.start, item.end, item.color, item.name) == (START + 48, START + 53, "Violet", job["title"])
    (marker,) = item.markers.values()
    assert marker["customData"] == f"artifexpro:{job['job']}" and "seed 1" in marker["note"]
    assert "On V1 at 01:00:02:00." in job["said"] and "the small model" in job["said"]
    (bin,) = way.host.project.root.bins
    assert bin.name == "ArtifexPro" and len(bin.clips) == 1 and way.host.project.bin != bin.id


def test_a_free_track_is_found_and_made_where_there_is_none(way: Way) -> None:
    put_clip(way.host, 1, START, 100)
    first, second, third = way.ask(), way.ask(), way.ask()
    for key in (first, second, third):
        way.wait(key)
    assert [len(track.items) for track in way.host.project.edit.video] == [1, 1, 1, 1]
    assert marks(items(way, 2)[0]) == [f"artifexpro:{way.job(first)['job']}"]


def test_a_place_taken_meanwhile_moves_the_clip_up_and_says_so(way: Way) -> None:
    key = way.ask(track=1)
    put_clip(way.host, 1, START + 3, 10)
    job = way.wait(key)
    assert len(items(way, 2)) == 1 and "V1 was taken meanwhile." in job["said"]


def test_a_clip_can_begin_with_the_picture_under_the_playhead(way: Way) -> None:
    put_clip(way.host, 1, START, 100, path=str(way.ask_still()), frames=1)
    playhead(way, START + 2)
    way.wait(way.ask(under_playhead=True))
    (made,) = items(way, 2)
    recipe = json.loads(Path(made.clip.path).with_name("clip.recipe.json").read_text())
    assert recipe["graph"]["nodes"]["clip"]["type"] == "TI2VGenerator"
    assert Path(recipe["graph"]["nodes"]["source"]["params"]["path"]).suffix == ".png"


@both_ways
def test_a_gap_is_filled_exactly_with_handles_at_both_ends(way: Way) -> None:
    put_clip(way.host, 2, START, 10)
    put_clip(way.host, 2, START + 17, 10)
    playhead(way, START + 12)
    way.wait(way.ask(kind="gap", track=2, handles=1, frames=0))
    made = items(way, 2)[1] if items(way, 2)[1].start == START + 10 else items(way, 2)[2]
    assert (made.start, made.end, made.source) == (START + 10, START + 17, 1)
    assert made.clip.frames == 9 and list(made.markers) == [1.0]


@both_ways
def test_delivering_twice_inserts_once(way: Way) -> None:
    """The list says "queued" of a clip that is there: Resolve, or this side, stopped between the two."""
    key = way.ask()
    way.wait(key)
    way.host.save()
    shelf = shelved(way)

    def forget() -> None:
        kept = json.loads(shelf.read_text())
        kept["jobs"][0].update(state="queued", result=None, message="")
        shelf.write_text(json.dumps(kept))

    reopen(way, forget)
    job = way.wait(key)
    assert "It was on V1 already, at frame 86400." in job["said"]
    assert len(items(way, 1)) == 1 and len(way.host.project.root.bins[0].clips) == 1


@both_ways
def test_save_reload_change_generate_again_cancel_one(way: Way) -> None:
    key = way.ask()
    way.wait(key)
    way.host.save()
    reopen(way)
    way.until(lambda: way.job(key)["state"] == "delivered")
    varied = way.say(kind="again", key=key, seed=2)["key"]
    slow = way.ask("a very long clip", frames=41, steps=500, seed=4)
    way.until(lambda: way.job(slow)["state"] == "running")
    way.say(kind="cancel", key=slow)
    way.wait(slow, "cancelled")
    way.wait(varied)
    (first,), (second,) = items(way, 1), items(way, 2)
    assert (first.start, second.start) == (START, START)
    seeds = [
        json.loads(Path(item.clip.path).with_name("clip.recipe.json").read_text())["graph"]["nodes"]["clip"]["params"]
        for item in (first, second)
    ]
    assert [params.pop("seed") for params in seeds] == [1, 2] and seeds[0] == seeds[1]
    assert [len(track.items) for track in way.host.project.edit.video] == [1, 1]


def test_resolve_closed_during_a_job_loses_nothing(way: Way) -> None:
    key = way.ask(seed=5)
    way.until(lambda: way.job(key).get("job"))
    way.host.save()
    reopen(way)
    way.wait(key)
    way.host.save()
    reopen(way)
    way.until(lambda: way.job(key)["state"] == "delivered")
    for _ in range(20):
        way.pump()
    assert len(items(way, 1)) == 1


def test_a_clip_of_another_rate_says_how_long_it_is(way_of: Callable[..., Way]) -> None:
    way = way_of(rate="30")
    job = way.wait(way.ask())
    (item,) = items(way, 1)
    assert item.end - item.start == 6
    assert "5 pictures for 24 frames a second; on this timeline of 30 it takes 6 frames" in job["said"]


def test_drop_frame_counts_as_resolve_does(way_of: Callable[..., Way]) -> None:
    way = way_of(rate="29.97 DF")
    playhead(way, 107892 + 1800)
    job = way.wait(way.ask())
    (item,) = items(way, 1)
    assert item.start == 109692
    assert "01:01:00;02" in job["said"]


def test_a_gap_on_a_timeline_of_another_rate_never_pushes_its_neighbour(way_of: Callable[..., Way]) -> None:
    way = way_of(rate="60")
    put_clip(way.host, 1, 216000, 10)
    put_clip(way.host, 1, 216018, 10)
    playhead(way, 216012)
    job = way.wait(way.ask(kind="gap", frames=0))
    made = next(item for item in items(way, 1) if item.start == 216010)
    assert made.end == 216017 and "1 frames of the gap stay empty" in job["said"]


@both_ways
@pytest.mark.parametrize("prompt", ["ночь \\ \"дождь\" 'ветер' 夜\n雨 🎬 ليل"])
def test_names_in_any_script_survive(way: Way, prompt: str) -> None:
    way.wait(way.ask(prompt))
    (item,) = items(way, 1)
    assert item.name == " ".join(prompt.split())


@pytest.mark.parametrize(
    ("change", "undo", "said"),
    [
        (lambda host: setattr(host, "page", "fusion"), lambda host: setattr(host, "page", "edit"), "the Fusion page"),
        pytest.param(
            lambda host: lock(host, True), lambda host: lock(host, False), "V1 is locked", marks=pytest.mark.nightly
        ),
        pytest.param(other_timeline, back, "another timeline is open than Schnitt Ω", marks=pytest.mark.nightly),
        (lambda host: message(host, True), lambda host: message(host, False), "a message box is open"),
    ],
    ids=["page", "locked", "timeline", "message box"],
)
def test_a_result_waits_until_it_can_be_put_in_place(way: Way, change: Any, undo: Any, said: str) -> None:
    key = way.ask(track=1)
    change(way.host)
    way.until(lambda: said in way.job(key)["said"])
    assert way.job(key)["state"] == "finished" and "Try" in way.job(key)["said"]
    undo(way.host)
    way.wait(key)
    assert len(items(way, 1)) == 1


def test_what_the_daemon_refuses_is_told_in_its_words(way: Way) -> None:
    job = way.wait(way.ask(frames=6), "failed")
    assert "4k + 1 frames" in job["said"] and "Try" in job["said"]


@pytest.mark.nightly
def test_a_clip_that_vanished_is_told(way: Way) -> None:
    key = way.ask(seed=7)
    way.host.page = "fusion"
    way.until(lambda: way.job(key)["state"] == "finished")
    for movie in way.home.rglob(f"*{way.job(key)['job']}*/clip.mp4"):
        movie.unlink()
    way.host.page = "edit"
    job = way.wait(key, "failed")
    assert "is not there any more" in job["said"] and items(way, 1) == []

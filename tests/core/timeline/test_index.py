"""What is at a frame, on timelines as other programs write them; OpenTimelineIO itself is asked too."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio
import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.timeline.index import Nest, TimelineIndex
from artifexpro.core.timeline.opening import index_of, open_timeline

schema = opentimelineio.schema
HERE = Path("/edits")


def index(timeline: Any) -> TimelineIndex:
    return index_of(timeline, HERE)


def names(found: list) -> list[tuple[str, int]]:
    return [(each.clip.name, each.picture) for each in found]


def shares(found: list) -> list[tuple[str, int, float]]:
    return [(each.clip.name, each.picture, float(each.weight)) for each in found]


def test_clips_lie_where_they_are_shown(edit: Callable) -> None:
    e = edit(24000 / 1001)
    made = index(
        e.timeline(
            e.track("V1", e.gap(5), e.clip("a", 10, 8), e.clip("b", 20, 100, has=(90, 60))),
            e.track("V2", e.gap(12), e.clip("top", 4)),
            e.track("A1", e.clip("sound", 100), kind="Audio"),
            start=86400,
        )
    )
    assert (made.rate, made.first, made.last, len(made)) == (Fraction(24000, 1001), 86400, 86499, 100)
    assert names(made.at(86400)) == [("sound", 0)]
    assert names(made.at(86405)) == [("a", 8), ("sound", 5)]
    assert names(made.at(86414)) == [("a", 17), ("top", 2), ("sound", 14)]
    assert names(made.at(86415)) == [("b", 10), ("top", 3), ("sound", 15)]
    assert names(made.at(86434)) == [("b", 29), ("sound", 34)]
    assert names(made.at(86435)) == [("sound", 35)]
    assert names(made.at(86399)) == names(made.at(86500)) == []
    assert names(made.seen(86413)) == [("top", 1)]
    assert names(made.seen(86413, "V1")) == [("a", 16)]
    assert made.seen(86440) == []
    a, b = made.track("V1").clips()
    assert (a.first, a.last, a.handles()) == (86405, 86414, (8, 82))
    assert (b.first, b.last, b.handles()) == (86415, 86434, (10, 30))
    assert made.remarks == ()


def test_every_frame_is_what_opentimelineio_says(edit: Callable) -> None:
    """Random tracks of clips and gaps; OpenTimelineIO's own search for the child at a time is the oracle."""
    chance = random.Random(5)
    e = edit(25)
    tracks = []
    for number in range(6):
        parts = [
            e.gap(chance.randint(1, 9))
            if chance.random() < 0.4
            else e.clip(f"{number}-{at}", chance.randint(1, 12), chance.randint(0, 50))
            for at in range(12)
        ]
        tracks.append(e.track(f"V{number}", *parts))
    timeline = e.timeline(*tracks)
    made = index(timeline)
    asked = 0
    for frame in range(made.first, made.last + 1):
        expected = []
        for track in timeline.tracks:
            child = track.child_at_time(e.time(frame), shallow_search=True)
            if isinstance(child, schema.Clip):
                inside = track.transformed_time(e.time(frame), child)
                expected.append((child.name, round(inside.value)))
        assert names(made.at(frame)) == expected
        asked += len(expected)
    assert asked > 100


def test_a_dissolve_shows_both_clips_with_their_handles(edit: Callable) -> None:
    e = edit()
    made = index(e.timeline(e.track("V1", e.clip("a", 10, 5), e.dissolve(2, 2), e.clip("b", 10, 20))))
    assert shares(made.seen(7)) == [("a", 12, 1.0)]
    assert shares(made.seen(8)) == [("a", 13, 0.875), ("b", 18, 0.125)]
    assert shares(made.seen(9)) == [("a", 14, 0.625), ("b", 19, 0.375)]
    assert shares(made.seen(10)) == [("a", 15, 0.375), ("b", 20, 0.625)]
    assert shares(made.seen(11)) == [("a", 16, 0.125), ("b", 21, 0.875)]
    assert shares(made.seen(12)) == [("b", 22, 1.0)]
    assert shares(made.at(9)) == shares(made.seen(9))


def test_a_fade_lets_through_what_is_below(edit: Callable) -> None:
    e = edit()
    below = e.track("V1", e.clip("below", 20))
    above = e.track("V2", e.gap(5), e.dissolve(0, 4), e.clip("above", 10, 30), e.dissolve(4, 0), e.gap(5))
    made = index(e.timeline(below, above))
    assert shares(made.seen(4)) == [("below", 4, 1.0)]
    assert shares(made.seen(5)) == [("above", 30, 0.125), ("below", 5, 0.875)]
    assert shares(made.seen(9)) == [("above", 34, 1.0)]
    assert shares(made.seen(14)) == [("above", 39, 0.125), ("below", 14, 0.875)]
    assert sum(each.weight for each in index(e.timeline(above)).seen(5)) == Fraction(1, 8)


def test_what_is_switched_off_is_found_but_not_seen(edit: Callable) -> None:
    e = edit()
    off = e.track("V3", e.clip("hidden track", 10))
    off.enabled = False
    made = index(e.timeline(e.track("V1", e.clip("a", 10)), e.track("V2", e.clip("off", 10, enabled=False)), off))
    assert names(made.at(3)) == [("a", 3), ("off", 3), ("hidden track", 3)]
    assert names(made.seen(3)) == [("a", 3)]


def test_nested_timelines_are_opened_in_place(edit: Callable) -> None:
    e = edit()
    inner = e.stack(
        "scene",
        e.track("low", e.clip("low", 20)),
        e.track("high", e.gap(6), e.clip("high", 4, 50)),
        source_range=e.range(5, 10),
    )
    made = index(e.timeline(e.track("V1", e.clip("a", 3), inner, e.clip("z", 5)), start=100))
    assert isinstance(made.track("V1").items[1], Nest)
    assert names(made.at(103)) == [("low", 5)]
    assert names(made.at(104)) == [("low", 6), ("high", 50)]
    assert names(made.seen(104)) == [("high", 50)]
    assert names(made.seen(108)) == [("low", 10)]
    assert names(made.seen(113)) == [("z", 0)]
    assert [clip.name for _, clip in made.clips()] == ["a", "low", "high", "z"]


def test_a_track_that_shows_part_of_itself(edit: Callable) -> None:
    e = edit()
    parts = e.clip("a", 10), e.dissolve(1, 1), e.clip("b", 10, 20), e.gap(5), e.clip("c", 5)
    made = index(e.timeline(e.track("V1", *parts, source_range=e.range(4, 8)), start=50))
    assert (made.first, made.last) == (50, 57)
    assert names(made.seen(50)) == [("a", 4)]
    assert shares(made.seen(55)) == [("a", 9, 0.75), ("b", 19, 0.25)]
    assert names(made.seen(57)) == [("b", 21)]
    assert names(made.at(58)) == names(made.at(49)) == []


def test_clips_of_another_rate_are_read_by_time_and_that_is_said(edit: Callable) -> None:
    e = edit(24)
    fast = e.clip("fast", 48, 10, rate=48, has=(0, 200))
    made = index(e.timeline(e.track("V1", e.clip("first", 1), fast, e.clip("pal", 25, rate=25), e.clip("end", 5))))
    assert made.rate == 24
    assert names(made.seen(1)) == [("fast", 10)]
    assert names(made.seen(2)) == [("fast", 12)]
    assert names(made.seen(24)) == [("fast", 56)]
    assert names(made.seen(25)) == [("pal", 0)]
    assert names(made.seen(48)) == [("pal", 23)]
    assert names(made.seen(49)) == [("end", 0)]
    assert made.remarks == (
        "1 clip has 25 frames a second and the timeline 24: frames are picked by time.",
        "1 clip has 48 frames a second and the timeline 24: frames are picked by time.",
    )


def test_a_cut_between_frames_is_kept_exactly_and_said(edit: Callable) -> None:
    e = edit(24)
    pal = (e.clip(f"pal {number}", 1, rate=25) for number in range(25))
    made = index(e.timeline(e.track("V1", e.clip("a", 1), *pal, e.clip("z", 2)), start=0))
    assert made.last == 26
    assert names(made.seen(25)) == [("z", 0)]
    assert names(made.seen(1)) == [("pal 0", 0)]
    assert names(made.seen(2)) == [("pal 1", 0)]
    assert names(made.seen(24)) == [("pal 23", 0)]
    assert [clip.name for clip in made.track("V1").clips() if clip.last < clip.first] == ["pal 24"]
    assert made.remarks[1] == "24 cuts lie between two frames: the cut is seen at the next frame."


def test_changed_speeds(edit: Callable) -> None:
    e = edit()
    double = schema.LinearTimeWarp(time_scalar=2.0)
    half = schema.LinearTimeWarp(time_scalar=0.5)
    track = e.track(
        "V1",
        e.clip("double", 5, 10, effects=[double]),
        e.clip("half", 4, 10, effects=[half]),
        e.clip("still", 3, 7, effects=[schema.FreezeFrame()]),
        e.clip("back", 3, 7, effects=[schema.LinearTimeWarp(time_scalar=-1.0)]),
        e.clip("curve", 3, 7, effects=[schema.TimeEffect()]),
        e.clip("glow", 3, 7, effects=[schema.Effect(effect_name="Glow")]),
    )
    made = index(e.timeline(track))
    seen = [made.seen(frame)[0].picture for frame in range(12)]
    assert seen == [10, 12, 14, 16, 18, 10, 10, 11, 11, 7, 7, 7]
    said = {clip.name: clip.unreadable for clip in made.track("V1").clips()}
    assert "backwards" in said["back"]
    assert "not known here" in said["curve"]
    assert said["double"] == said["half"] == said["still"] == said["glow"] == ""
    assert made.remarks == ("1 clip has an effect of another program that is not shown.",)
    assert next(made.track("V1").clips()).handles() == (5, 40)


def test_media_by_url_by_relative_path_and_by_pattern(edit: Callable) -> None:
    e = edit()
    sequence = schema.Clip(
        name="frames",
        source_range=e.range(3, 4),
        media_reference=schema.ImageSequenceReference(
            "file:///plates/sh%2010/", "p.", ".exr", 1001, 1, 24, 4, available_range=e.range(0, 50)
        ),
    )
    every_second = schema.Clip(
        name="twos",
        source_range=e.range(4, 4),
        media_reference=schema.ImageSequenceReference(
            "/plates", "p.", ".exr", 1, 2, 24, 4, available_range=e.range(0, 48)
        ),
    )
    web = e.clip("web", 2, path="https://example.com/{}.mov")
    generated = schema.Clip(name="bars", source_range=e.range(0, 2), media_reference=schema.GeneratorReference())
    bare = schema.Clip(name="bare", source_range=e.range(6, 2), media_reference=schema.ExternalReference("x.mov"))
    made = index(
        e.timeline(
            e.track(
                "V1",
                e.clip("a b", 2, path="file:///media/a%20b.mov"),
                e.clip("rel", 2, path="../media/{}.mov"),
                e.clip("hash", 4, 1001, path="/plates/q.####.exr", has=(1001, 20)),
                sequence,
                every_second,
                web,
                generated,
                schema.Clip(name="offline", source_range=e.range(0, 2)),
                bare,
            )
        )
    )
    clips = {clip.name: clip for clip in made.track("V1").clips()}
    assert clips["a b"].media.path == Path("/media/a b.mov")
    assert clips["rel"].media.path == HERE / "../media/rel.mov"
    hashed = clips["hash"].media
    assert (str(hashed.path), hashed.number(clips["hash"].picture(clips["hash"].first))) == ("/plates/q.%04d.exr", 1001)
    frames = clips["frames"]
    assert list(frames.media.files(frames.picture(frames.first), frames.picture(frames.last)))[0::3] == [
        Path("/plates/sh 10/p.1004.exr"),
        Path("/plates/sh 10/p.1007.exr"),
    ]
    twos = clips["twos"]
    assert [twos.media.number(twos.picture(frame)) for frame in range(twos.first, twos.last + 1)] == [5, 5, 7, 7]
    assert clips["bare"].handles() is None and clips["bare"].picture(clips["bare"].first) == 6
    for name, word in (("web", "not on a disk"), ("bars", "a generator reference"), ("offline", "names no file")):
        assert clips[name].media is None
        assert word in clips[name].unreadable


def test_tracks_are_found_by_name(edit: Callable) -> None:
    e = edit()
    made = index(e.timeline(*(e.track(name, e.clip(name, 5)) for name in ("V1", "V2", "V2"))))
    assert made.track("V1").name == "V1"
    with pytest.raises(ArtifexError, match="2 of its tracks are called so"):
        made.track("V2")
    with pytest.raises(ArtifexError, match="no such video track"):
        made.seen(3, "V9")


def saved(edit: Any, folder: Path) -> Path:
    e = edit()
    path = folder / "edit.otio"
    timeline = e.timeline(e.track("V1", e.clip("a", 10), e.dissolve(2, 2), e.clip("b", 10, 20)), start=1001)
    opentimelineio.adapters.write_to_file(timeline, str(path))
    return path


def test_a_file_is_opened(edit: Callable, tmp_path: Path) -> None:
    made = open_timeline(saved(edit, tmp_path))
    assert (made.first, made.last) == (1001, 1020)
    assert names(made.seen(1001)) == [("a", 0)]


def test_a_file_cut_off_at_any_byte_is_refused(edit: Callable, tmp_path: Path) -> None:
    path = saved(edit, tmp_path)
    whole = path.read_bytes().rstrip()
    for length in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ArtifexError, match="cut off or damaged") as refusal:
            open_timeline(path)
        assert refusal.value.code == "damaged"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "cut off or damaged"),
        ("\xff", "cut off or damaged"),
        ("3", "not a timeline"),
        ("[]", "not a timeline"),
        ('{"OTIO_SCHEMA": "Stack.1", "name": "x", "children": []}', "a stack, not a timeline"),
        ('{"OTIO_SCHEMA": "SerializableCollection.1", "children": []}', "a collection of timelines"),
        ('{"OTIO_SCHEMA": "Own.1"}', "not a timeline"),
        ('{"OTIO_SCHEMA": "Timeline.99"}', "newer OpenTimelineIO"),
        ('{"OTIO_SCHEMA": "Timeline.1", "name": "x"}', "not a whole OpenTimelineIO timeline"),
        ('{"OTIO_SCHEMA": "Timeline.1", "metadata": ' + '{"a": ' * 100_000 + "1" + "}" * 100_001, "too deep"),
    ],
)
def test_what_is_no_timeline_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "edit.otio"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ArtifexError, match=said):
        open_timeline(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifexError, match="no such file"):
        open_timeline(tmp_path / "none.otio")


def test_odd_timelines_are_refused(edit: Callable) -> None:
    e = edit()
    deep = e.stack("0", e.track("t", e.clip("a", 5)))
    for number in range(101):
        deep = e.stack(str(number), e.track("t", deep))
    lost = schema.Clip(name="lost", media_reference=schema.ExternalReference("x.mov"))
    for timeline, said in (
        (e.timeline(e.track("V1", deep)), "more than 100 deep"),
        (e.timeline(e.track("V1")), "how many frames go to a second"),
        (e.timeline(e.track("V1", e.clip("a", 5), lost)), "neither its length"),
        (e.timeline(e.track("V1", e.clip("a", -5))), "shorter than nothing"),
        (e.timeline(e.track("V1", e.clip("a", 5), e.dissolve(0, 0), e.clip("b", 5))), "has no length"),
        (e.timeline(e.track("V1", e.clip("a", 5)), start=0.5), "between two frames"),
    ):
        with pytest.raises(ArtifexError, match=said):
            index(timeline)

"""The kit itself: it has the API's names and no other, and behaves where Resolve is known to surprise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.hosts.resolve.standin import drop_in, host, media, project, timeline
from tests.hosts.resolve.standin.api import LATER, api, choices, fields
from tests.hosts.resolve.standin.faces import Face, NotModelled, Refused, UnknownName, WrongCall
from tests.hosts.resolve.standin.host import FREE, StandIn
from tests.hosts.resolve.standin.state import Clip

Make = Callable[..., StandIn]
START = 86400


@pytest.fixture
def opened(make_host: Make) -> Any:
    """(resolve, project, timeline, pool, a clip of ten pictures in it, the stand-in)."""
    standin = make_host()
    resolve = standin.scriptapp()
    movie = resolve.GetProjectManager().GetCurrentProject()
    pool = movie.GetMediaPool()
    edit = movie.GetCurrentTimeline()
    clip = media.MediaPoolItem(standin, Clip("ten", "ten.mov", standin.project.edit.rate, 10))
    return resolve, movie, edit, pool, clip, standin


def info(clip: Any, **changes: int) -> dict[str, Any]:
    place = {"startFrame": 0, "endFrame": 10, "mediaType": 1, "trackIndex": 1, "recordFrame": START}
    return {"mediaPoolItem": clip, **place, **changes}


def test_the_whole_api_is_known() -> None:
    """370 methods of the stubs and the twelve they lack; overloads are ways of calling one method."""
    spec = api()
    assert sum(len(methods) for methods in spec.values()) == 370 + 12
    assert LATER.count("def ") == 12
    assert {"GetSelectedClips", "AddMarker"} <= set(spec["Timeline"]) and "GetTimeline" in spec["MediaPoolItem"]
    assert "recordFrame" in fields("MediaPoolClipInfo") and choices("PageName") >= {"edit", "color", "deliver"}


def test_every_face_is_of_the_api() -> None:
    faces = [each for module in (host, media, project, timeline) for each in vars(module).values()]
    kinds = {each.__name__ for each in faces if isinstance(each, type) and issubclass(each, Face) and each is not Face}
    assert kinds <= set(api()) and len(kinds) >= 8
    with pytest.raises(TypeError, match="has no Timeline"):
        type("Timeline", (Face,), {"GetTimelineByName": lambda self: None})


def test_invented_names_wrong_calls_and_what_is_not_modelled_are_refused(opened: Any) -> None:
    resolve, movie, edit, pool, _, _ = opened
    with pytest.raises(UnknownName, match=r"MediaPool.GetTimelineByName"):
        pool.GetTimelineByName("x")
    with pytest.raises(UnknownName):
        hasattr(edit, "InsertClip")
    with pytest.raises(WrongCall, match="takes 5 to 6 values, not 4"):
        edit.AddMarker(0, "Red", "name", "note")
    with pytest.raises(NotModelled):
        movie.GetGallery()
    with pytest.raises(Refused, match="render settings have no"):
        movie.SetRenderSettings({"Codec": "x"})
    assert "OpenPage" in dir(resolve) and "GetTimelineByName" not in dir(pool)


def test_the_end_is_exclusive_and_the_record_frame_absolute(opened: Any) -> None:
    _, _, edit, pool, clip, _ = opened
    pool.AppendToTimeline([info(clip, startFrame=2, endFrame=6, recordFrame=START + 24)])
    (item,) = edit.GetItemListInTrack("video", 1)
    assert (item.GetStart(), item.GetEnd(), item.GetLeftOffset()) == (START + 24, START + 28, 2)


def test_a_record_frame_that_is_not_absolute_lies_before_the_timeline(opened: Any) -> None:
    _, _, edit, pool, clip, _ = opened
    pool.AppendToTimeline([info(clip, recordFrame=24)])
    (item,) = edit.GetItemListInTrack("video", 1)
    assert item.GetEnd() < edit.GetStartFrame()


def test_what_overlaps_or_is_locked_or_has_no_track_is_dropped_without_a_word(opened: Any) -> None:
    _, _, edit, pool, clip, _ = opened
    assert len(pool.AppendToTimeline([info(clip), info(clip, recordFrame=START + 9)])) == 1
    assert pool.AppendToTimeline([info(clip, recordFrame=START + 9)]) == []
    assert pool.AppendToTimeline([info(clip, trackIndex=9)]) == []
    edit.SetTrackLock("video", 2, True)
    assert pool.AppendToTimeline([info(clip, trackIndex=2)]) == []


def test_an_inserted_item_does_not_know_its_own_id(opened: Any) -> None:
    _, _, edit, pool, clip, _ = opened
    (answered,) = pool.AppendToTimeline([info(clip)])
    assert answered.GetUniqueId() is None
    assert edit.GetItemListInTrack("video", 1)[0].GetUniqueId()


def test_another_rate_ends_a_frame_short(make_host: Make, opened: Any) -> None:
    _, _, edit, pool, clip, standin = opened
    standin.project.edit.rate = 25
    pool.AppendToTimeline([info(clip)])
    assert edit.GetItemListInTrack("video", 1)[0].GetDuration() == 10
    standin.project.edit.rate = 23
    pool.AppendToTimeline([info(clip, trackIndex=2)])
    assert edit.GetItemListInTrack("video", 2)[0].GetDuration() == 9


def test_the_wrong_page_answers_nothing(opened: Any) -> None:
    resolve, _, edit, pool, clip, _ = opened
    assert edit.GetCurrentClipThumbnailImage() is None
    assert resolve.OpenPage("color") and edit.GetCurrentClipThumbnailImage()["width"] == 1
    assert resolve.OpenPage("deliver") and pool.AppendToTimeline([info(clip)]) is None
    assert not resolve.OpenPage("Edit")


def test_a_studio_call_in_the_free_edition_blocks_every_later_one(make_host: Make) -> None:
    standin = make_host(product=FREE)
    resolve = standin.scriptapp("Lua")
    edit = resolve.GetProjectManager().GetCurrentProject().GetCurrentTimeline()
    assert edit.CreateSubtitlesFromAudio() is None and standin.modal
    assert resolve.GetProductName() is None and edit.GetName() is None
    standin.modal = False
    assert edit.GetName() == "Schnitt Ω"


def test_python_is_let_in_by_studio_and_by_older_free_releases(make_host: Make) -> None:
    standin = make_host(product=FREE)
    assert standin.scriptapp("Python") is None and standin.scriptapp("Lua") is not None
    standin.version = (20, 3, 2)
    assert standin.scriptapp("Python") is not None


def test_of_a_program_that_was_closed_every_name_is_none(opened: Any) -> None:
    resolve, _, edit, _, _, standin = opened
    standin.quit()
    assert edit.GetName is None and resolve.GetProductName is None


def test_luts_are_found_in_the_master_folder_once_the_list_is_refreshed(opened: Any) -> None:
    _, movie, edit, pool, clip, standin = opened
    pool.AppendToTimeline([info(clip)])
    (item,) = edit.GetItemListInTrack("video", 1)
    path = standin.luts / "new.cube"
    path.write_text("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n")
    assert not item.SetLUT(1, "new.cube")
    movie.RefreshLUTList()
    assert item.SetLUT(1, str(path)) and item.GetLUT(1) == "new.cube"
    assert not item.SetLUT(2, "new.cube") and not item.SetLUT(1, "/elsewhere/new.cube")


def test_a_cdl_is_text(opened: Any) -> None:
    _, _, edit, pool, clip, _ = opened
    pool.AppendToTimeline([info(clip)])
    (item,) = edit.GetItemListInTrack("video", 1)
    words = {"NodeIndex": "1", "Slope": "1 1 1", "Offset": "0 0 0", "Power": "1 1 1", "Saturation": "1"}
    assert (
        item.SetCDL(words) and not item.SetCDL({**words, "NodeIndex": 1}) and not item.SetCDL({**words, "Slope": "1"})
    )
    with pytest.raises(Refused):
        item.SetCDL({"NodeIndex": "1"})


def test_takes_begin_with_what_was_there(opened: Any) -> None:
    _, _, edit, pool, clip, _ = opened
    pool.AppendToTimeline([info(clip)])
    (item,) = edit.GetItemListInTrack("video", 1)
    assert item.GetTakesCount() == 0 and item.GetSelectedTakeIndex() == 0
    assert item.AddTake(clip, 1, 5) and (item.GetTakesCount(), item.GetSelectedTakeIndex()) == (2, 2)
    assert item.SelectTakeByIndex(1) and item.GetTakeByIndex(1)["startFrame"] == 0
    assert not item.SelectTakeByIndex(3) and not item.DeleteTakeByIndex(1) and item.DeleteTakeByIndex(2)


def test_markers_are_one_a_frame_and_of_known_colours(opened: Any) -> None:
    _, _, edit, _, _, _ = opened
    assert edit.AddMarker(0, "Purple", "a", "", 1, "data") and not edit.AddMarker(0, "Red", "b", "", 1)
    assert not edit.AddMarker(1, "Puce", "b", "", 1)
    assert edit.GetMarkerByCustomData("data")[0]["name"] == "a" and edit.GetMarkerByCustomData("other") == {}


def test_saving_keeps_and_quitting_loses(make_host: Make, opened: Any) -> None:
    resolve, _, edit, pool, clip, standin = opened
    manager = resolve.GetProjectManager()
    pool.AppendToTimeline([info(clip)])
    manager.SaveProject()
    pool.AppendToTimeline([info(clip, trackIndex=2)])
    again = StandIn(standin.luts.parent)
    assert again.scriptapp().GetProjectManager().LoadProject(standin.project.name)
    assert [len(track.items) for track in again.project.edit.video] == [1, 0]
    assert again.project.edit.video[0].items[0].id == edit.GetItemListInTrack("video", 1)[0].GetUniqueId()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda clip: clip.update(OTIO_SCHEMA="Clip.1"),
        lambda clip: clip["media_references"]["DEFAULT_MEDIA"].update(target_url="file:///a.mov"),
        lambda clip: clip["media_references"]["DEFAULT_MEDIA"].update(target_url="a.mov"),
    ],
    ids=["first shape", "address", "relative"],
)
def test_a_timeline_file_of_another_shape_is_not_taken(spoil: Any) -> None:
    clip = {
        "OTIO_SCHEMA": "Clip.2",
        "media_references": {"DEFAULT_MEDIA": {"target_url": "/a.mov"}},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }
    tree = {"global_start_time": {}, "children": [clip]}
    assert drop_in._shaped(tree)
    spoil(clip)
    assert not drop_in._shaped(tree)

"""An edit as one clip: every frame is the frame that its clip's own reader gives."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio
import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.node import Preflight
from artifexpro.core.graph.values import FrameRequest, Region
from artifexpro.core.media import color, still
from artifexpro.core.media.files import appearing
from artifexpro.core.media.movie import MovieReader, MovieWriter
from artifexpro.core.media.resample import resize
from artifexpro.core.media.sequence import write_frame
from artifexpro.core.media.still import Header
from artifexpro.core.nodes.timeline_input import TimelineInput
from artifexpro.core.timeline.pictures import OPEN_READERS

schema, time = opentimelineio.schema, opentimelineio.opentime
RATE = 24000 / 1001
EXACT = Fraction(24000, 1001)
SIZE = (48, 32)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory, soft_picture: Callable[..., torch.Tensor]) -> Path:
    """a.mkv and b.mkv (12 frames, 48 x 32), wide.mkv (64 x 16), pal.mkv (25 a second), s.1001.exr to s.1012.exr with
    alpha, card.png."""
    folder = tmp_path_factory.mktemp("media")
    for number, (name, size, rate) in enumerate(
        (("a", SIZE, EXACT), ("b", SIZE, EXACT), ("wide", (64, 16), EXACT), ("pal", SIZE, Fraction(25)))
    ):
        with appearing(folder / f"{name}.mkv") as part, MovieWriter(part, "ffv1", rate, size) as movie:
            for frame in range(12):
                movie.add(soft_picture(*size, phase=frame + 30 * number))
    for frame in range(1001, 1013):
        picture = soft_picture(*SIZE, phase=frame, alpha=True)
        write_frame(folder / f"s.{frame}.exr", picture, "exr", Header("ACEScg", EXACT, frame))
    write_frame(folder / "card.png", soft_picture(*SIZE), "png16", Header("srgb_tx"))
    return folder


def span(first: float, count: float, rate: float = RATE) -> Any:
    return time.TimeRange(time.RationalTime(first, rate), time.RationalTime(count, rate))


def clip(name: str, first: float, count: float, *, rate: float = RATE, has: int = 12) -> Any:
    return schema.Clip(
        name=name,
        source_range=span(first, count, rate),
        media_reference=schema.ExternalReference(name, span(0, has, rate)),
    )


def frames(first: float, count: float) -> Any:
    return schema.Clip(
        name="frames",
        source_range=span(first, count),
        media_reference=schema.ImageSequenceReference("", "s.", ".exr", 1001, 1, RATE, 4, available_range=span(0, 12)),
    )


def gap(count: float) -> Any:
    return schema.Gap(duration=time.RationalTime(count, RATE))


def dissolve(before: float, after: float, kind: str = "SMPTE_Dissolve") -> Any:
    return schema.Transition(
        transition_type=kind, in_offset=time.RationalTime(before, RATE), out_offset=time.RationalTime(after, RATE)
    )


@pytest.fixture
def cut(media: Path) -> Callable[..., TimelineInput]:
    """Writes an edit of the tracks given (each a list of parts) beside the media and makes the node that reads it."""

    def make(*tracks: list, start: float = 1001, **params: Any) -> TimelineInput:
        timeline = schema.Timeline(name="edit", global_start_time=time.RationalTime(start, RATE))
        for number, parts in enumerate(tracks):
            timeline.tracks.append(schema.Track(name=f"V{number + 1}", kind="Video", children=parts))
        path = media / "edit.otio"
        opentimelineio.adapters.write_to_file(timeline, str(path))
        return TimelineInput(path=str(path), **params)

    return make


def of_movie(path: Path, number: int, size: tuple[int, int] | None = None) -> torch.Tensor:
    with MovieReader(path) as movie:
        return movie.frame(number, size, color.DISPLAY)


def shown(node: TimelineInput, frame: int, **request: Any) -> torch.Tensor:
    return node.read(FrameRequest(frame, **request)).pixels


def wired(folder: Path) -> Preflight:
    return Preflight(frozenset(), folder)


def test_every_frame_comes_from_the_clip_that_lies_there(cut: Callable, media: Path) -> None:
    node = cut([clip("a.mkv", 2, 4), gap(2), frames(3, 3), clip("card.png", 0, 2, has=1), clip("b.mkv", 0, 5)])
    node.preflight(wired(media))
    info = node.describe()
    assert (info.first, info.last, info.rate, info.width, info.height) == (1001, 1016, EXACT, *SIZE)
    expected = [
        *(of_movie(media / "a.mkv", number) for number in range(2, 6)),
        *(torch.zeros(1, 4, SIZE[1], SIZE[0]) for _ in range(2)),
        *(still.read(media / f"s.{number}.exr") for number in range(1004, 1007)),
        *(still.read(media / "card.png") for _ in range(2)),
        *(of_movie(media / "b.mkv", number) for number in range(5)),
    ]
    order = [*range(16), 3, 11, 0, 15]
    for at in order:
        pixels = shown(node, 1001 + at)
        assert torch.equal(pixels, expected[at]), at
        assert pixels.is_contiguous(memory_format=torch.channels_last)


def test_the_topmost_picture_is_seen_or_one_track(cut: Callable, media: Path) -> None:
    tracks = [clip("a.mkv", 0, 8)], [gap(3), clip("b.mkv", 1, 2)]
    node = cut(*tracks)
    for at, path, number in ((0, "a", 0), (3, "b", 1), (4, "b", 2), (5, "a", 5)):
        assert torch.equal(shown(node, 1001 + at), of_movie(media / f"{path}.mkv", number))
    low, high = cut(*tracks, track="V1"), cut(*tracks, track="V2")
    assert torch.equal(shown(low, 1004), of_movie(media / "a.mkv", 3))
    assert shown(high, 1001).abs().max() == 0


def test_a_dissolve_mixes_light(cut: Callable, media: Path) -> None:
    node = cut([clip("a.mkv", 2, 4), dissolve(2, 2), clip("b.mkv", 3, 4)])
    a, b = (of_movie(media / "a.mkv", 5), of_movie(media / "b.mkv", 2))
    torch.testing.assert_close(shown(node, 1004), a * 0.625 + b * 0.375)
    assert torch.equal(shown(node, 1007), of_movie(media / "b.mkv", 5))


def test_a_fade_leaves_the_rest_transparent(cut: Callable, media: Path) -> None:
    node = cut([dissolve(0, 2), clip("a.mkv", 0, 6)])
    torch.testing.assert_close(shown(node, 1001), of_movie(media / "a.mkv", 0) * 0.25)


def test_handles_come_from_the_first_and_last_clip(cut: Callable, media: Path) -> None:
    parts = [clip("a.mkv", 2, 4), clip("b.mkv", 0, 9)]
    node = cut(parts, handles=2)
    assert (node.describe().first, node.describe().last) == (999, 1015)
    assert torch.equal(shown(node, 999), of_movie(media / "a.mkv", 0))
    assert torch.equal(shown(node, 1015), of_movie(media / "b.mkv", 10))
    longer = cut(parts, handles=3)
    with pytest.raises(ArtifexError, match="would show picture -1 of its media"):
        shown(longer, 998)
    with pytest.raises(ArtifexError, match="has frames 998 to 1016"):
        shown(longer, 1017)


def test_a_preview_is_decoded_small(cut: Callable, media: Path) -> None:
    node = cut([clip("a.mkv", 0, 4)])
    assert torch.equal(shown(node, 1002, scale=0.25), of_movie(media / "a.mkv", 1, (12, 8)))
    part = shown(node, 1002, region=Region(10, 8, 20, 16))
    assert torch.equal(part, shown(node, 1002)[:, :, 8:24, 10:30])


def test_clips_of_another_shape(cut: Callable, media: Path) -> None:
    parts = [clip("a.mkv", 0, 2), clip("wide.mkv", 0, 2)]
    whole = of_movie(media / "wide.mkv", 0)
    boxed = shown(cut(parts), 1003)
    assert boxed[:, :, :10].abs().max() == boxed[:, :, 22:].abs().max() == 0
    torch.testing.assert_close(boxed[:, :, 10:22], of_movie(media / "wide.mkv", 0, (48, 12)))
    filled = shown(cut(parts, fit="crop"), 1003)
    torch.testing.assert_close(filled, resize(whole, (128, 32))[:, :, :, 40:88], atol=2e-3, rtol=0)
    torch.testing.assert_close(shown(cut(parts, fit="stretch"), 1003), resize(whole, SIZE), atol=2e-3, rtol=0)
    assert cut(parts, width=20, height=10).describe().size_at(1) == (20, 10)


def test_another_rate_is_read_by_time(cut: Callable, media: Path) -> None:
    node = cut([clip("a.mkv", 0, 1), clip("pal.mkv", 0, 10, rate=25.0)])
    node.preflight(wired(media))
    for at in range(9):
        assert torch.equal(shown(node, 1002 + at), of_movie(media / "pal.mkv", int(at * 25 / RATE)))


def test_a_movie_of_about_the_stated_rate_is_that_movie(cut: Callable, media: Path) -> None:
    """Programs write 24 for 24000/1001; 25 is another movie."""
    called_24 = cut([clip("b.mkv", 0, 1), clip("a.mkv", 0, 10, rate=24.0)])
    assert torch.equal(shown(called_24, 1009), of_movie(media / "a.mkv", 7))
    with pytest.raises(ArtifexError, match=r"has 25 frames a second and the timeline says that it has 24000/1001"):
        shown(cut([clip("a.mkv", 0, 1), clip("pal.mkv", 0, 4)]), 1003)


def test_few_readers_stay_open(cut: Callable, media: Path) -> None:
    copies = [media / f"copy{number}.mkv" for number in range(3 * OPEN_READERS)]
    for path in copies:
        if not path.exists():
            os.link(media / "a.mkv", path)
    node = cut([clip(path.name, 0, 1) for path in copies], width=48, height=32)
    for at in range(len(copies)):
        shown(node, 1001 + at, scale=0.25)
        assert node._pictures is not None
        assert len(node._pictures) <= OPEN_READERS
    assert torch.equal(shown(node, 1001), of_movie(media / "a.mkv", 0))


def test_the_key_follows_the_edit_and_its_media(cut: Callable, media: Path) -> None:
    parts = [clip("a.mkv", 0, 4), frames(0, 4)]
    node = cut(parts)
    before = node.fingerprint(wired(media))
    assert before
    assert cut(parts, track="V1").fingerprint(wired(media))
    for path in (media / "a.mkv", media / "s.1002.exr", media / "edit.otio"):
        os.utime(path)
        after = TimelineInput(path=node.path).fingerprint(wired(media))
        assert after != before, path
        before = after
    os.utime(media / "s.1009.exr")
    os.utime(media / "b.mkv")
    assert TimelineInput(path=node.path).fingerprint(wired(media)) == before, "these are not in the edit"


def test_what_cannot_be_played_is_refused_before_work(cut: Callable, media: Path) -> None:
    offline = schema.Clip(name="offline", source_range=span(0, 2))
    for parts, params, said in (
        ([clip("gone.mkv", 0, 4)], {}, "no such file"),
        ([clip("notes.txt", 0, 4)], {}, 'files ending in ".txt" are not known here'),
        ([offline], {}, "names no file"),
        ([frames(10, 2), frames(11, 5)], {}, "no such file"),
        ([clip("a.mkv", 0, 4), dissolve(1, 1, "Custom_Transition"), clip("b.mkv", 3, 4)], {}, "Custom_Transition"),
        ([clip("a.mkv", 0, 4)], {"track": "V9"}, "no such video track"),
    ):
        with pytest.raises(ArtifexError, match=said):
            cut(parts, **params).preflight(wired(media))
    covered = cut([clip("a.mkv", 0, 4)], [offline], track="V1")
    covered.preflight(wired(media))
    for path, said in (("", "none is chosen"), (str(media / "a.mkv"), r"does not end in \.otio")):
        with pytest.raises(ArtifexError, match=said):
            TimelineInput(path=path).preflight(wired(media))
    with pytest.raises(ArtifexError, match="no clip on it is seen"):
        cut([gap(5)]).describe()


def test_a_recipe_names_the_edit_and_its_media(cut: Callable, media: Path) -> None:
    told = cut([clip("a.mkv", 0, 4), frames(0, 4)]).provenance(media)
    assert told["media"] == 5
    assert len(told["sha256"]) == len(told["media_sha256"]) == 64


def test_in_a_graph(cut: Callable, media: Path, graph: Callable) -> None:
    node = cut([clip("a.mkv", 0, 4), gap(1), clip("b.mkv", 0, 4)])
    made = graph(edit=("TimelineInput", {"path": node.path}, {}), soft=("Blur", {"size": 0.0}, {"video": "edit"}))
    assert torch.equal(made.frame("soft", 1007).pixels, of_movie(media / "b.mkv", 1))

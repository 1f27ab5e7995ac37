"""Names of numbered frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.frames import FramePattern, is_pattern, spans


@pytest.mark.parametrize(
    ("text", "name", "printf"),
    [
        ("shot/f.%04d.exr", "f.0007.exr", "f.%04d.exr"),
        ("shot/f.####.exr", "f.0007.exr", "f.%04d.exr"),
        ("shot/f.%d.png", "f.7.png", "f.%d.png"),
        ("shot/f#.png", "f7.png", "f%d.png"),
        ("shot/sh#2/f_%06d.exr", "f_000007.exr", "f_%06d.exr"),
    ],
)
def test_a_pattern_names_every_frame(text: str, name: str, printf: str) -> None:
    pattern = FramePattern.parse(text)
    assert pattern.path(7) == Path(text).parent / name
    assert pattern.printf == Path(text).parent / printf
    assert FramePattern.parse(str(pattern.printf)) == pattern


def test_numbers_grow_beyond_their_digits() -> None:
    pattern = FramePattern.parse("f.%04d.exr")
    assert [pattern.path(frame).name for frame in (-5, 0, 12345)] == ["f.-005.exr", "f.0000.exr", "f.12345.exr"]


@pytest.mark.parametrize("text", ["plate.exr", "f.%04d.%04d.exr", "f.%s.exr"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(ArtifexError, match=r"frame\.%04d\.exr"):
        FramePattern.parse(text)


def test_a_folder_name_is_no_pattern() -> None:
    assert not is_pattern("/shots/sh#2/plate.mov")


def test_frames_on_disk_are_those_that_the_pattern_writes(tmp_path: Path) -> None:
    names = [
        "f.0001.exr",
        "f.0003.exr",
        "f.12345.exr",
        "f.002.exr",
        "f.00004.exr",
        "f.0005.png",
        "g.0006.exr",
        "f.-002.exr",
    ]
    for name in names:
        (tmp_path / name).touch()
    assert FramePattern.parse(str(tmp_path / "f.%04d.exr")).on_disk() == (-2, 1, 3, 12345)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArtifexError, match="is not there"):
        FramePattern.parse(str(tmp_path / "none" / "f.%04d.exr")).on_disk()


def test_spans_are_short() -> None:
    assert spans((1, 2, 3, 7, 9, 10)) == "1-3, 7, 9-10"
    assert spans((5,)) == "5"

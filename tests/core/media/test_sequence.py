"""Numbered frames as a clip."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.sequence import SequenceReader, parse_rate, write_frame
from artifexpro.core.media.still import Header

MakePicture = Callable[..., torch.Tensor]


@pytest.fixture
def plates(tmp_path: Path, soft_picture: MakePicture) -> Path:
    """Frames 1001 to 1006 without 1004; frame n has the phase n."""
    for frame in (1001, 1002, 1003, 1005, 1006):
        picture = soft_picture(phase=frame)
        write_frame(tmp_path / f"plate.{frame}.exr", picture, "exr", Header(rate=Fraction(25), frame=frame))
    return tmp_path


@pytest.mark.parametrize("mark", ["%04d", "####"])
def test_frames_keep_their_numbers(plates: Path, soft_picture: MakePicture, mark: str) -> None:
    reader = SequenceReader(str(plates / f"plate.{mark}.exr"))
    assert (reader.first, reader.last, reader.info.rate) == (1001, 1006, Fraction(25))
    torch.testing.assert_close(reader.frame(1005), soft_picture(phase=1005), atol=1e-3, rtol=0)
    assert reader.frame(1005, (16, 12)).shape == (1, 4, 12, 16)


def test_a_missing_frame_is_named_with_those_there_are(plates: Path) -> None:
    reader = SequenceReader(str(plates / "plate.%04d.exr"))
    with pytest.raises(ArtifexError, match=r"plate\.1004\.exr is not on disk, which has 1001-1003, 1005-1006"):
        reader.frame(1004)


def test_ends_must_be_on_disk(plates: Path) -> None:
    pattern = str(plates / "plate.%04d.exr")
    assert SequenceReader(pattern, 1002, 1005).present == (1002, 1003, 1005)
    for first, last in ((1000, None), (None, 1007), (1004, None)):
        with pytest.raises(ArtifexError, match="not on disk"):
            SequenceReader(pattern, first, last)
    with pytest.raises(ArtifexError, match="comes before"):
        SequenceReader(pattern, 1005, 1002)
    with pytest.raises(ArtifexError, match="no frame of that name"):
        SequenceReader(str(plates / "other.%04d.exr"))


def test_a_frame_of_another_size_is_refused(plates: Path, soft_picture: MakePicture) -> None:
    write_frame(plates / "plate.1004.exr", soft_picture(32, 20), "exr", Header())
    with pytest.raises(ArtifexError, match=r"plate\.1004\.exr.*32 x 20.*64 x 48"):
        SequenceReader(str(plates / "plate.%04d.exr")).frame(1004)


def test_rates_are_exact() -> None:
    assert parse_rate("24000/1001") == Fraction(24000, 1001)
    assert parse_rate("25") == 25
    for wrong in ("23.976", "", "0", "-24", "24/0", "fast", "2e1"):
        with pytest.raises(ArtifexError, match="24000/1001"):
            parse_rate(wrong)

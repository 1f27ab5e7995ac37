"""Clips handed in: read a chunk at a time, refused frame by frame."""

from __future__ import annotations

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.footage import Footage
from artifexpro.core.wan22.picture import letterboxed


def test_only_the_frames_of_a_chunk_are_asked_for() -> None:
    asked: list[int] = []

    def frame(index: int) -> torch.Tensor:
        asked.append(index)
        return torch.full((32, 64, 3), index / 10)

    chunks = Footage(20, 64, 32, frame).chunks(9, 64, 32)
    assert asked == []
    first = next(chunks)
    assert (asked, tuple(first.shape)) == ([0], (1, 3, 1, 32, 64))
    second = next(chunks)
    assert (asked, tuple(second.shape)) == ([0, 1, 2, 3, 4], (1, 3, 4, 32, 64))
    assert torch.equal(second[0, 0, :, 0, 0], torch.tensor([0.1, 0.2, 0.3, 0.4]))


def test_frames_are_fitted_to_the_clip() -> None:
    clip = Footage.of(torch.rand(5, 50, 120, 3))
    assert clip.picture(4, 64, 32).shape == (1, 3, 32, 64)
    same = torch.rand(5, 32, 64, 3)
    assert torch.equal(Footage.of(same).picture(2, 64, 32)[0].permute(1, 2, 0), same[2])


def test_one_picture_is_a_mask_for_all_frames() -> None:
    mask = Footage.of(torch.rand(1, 32, 64, 1))
    assert torch.equal(mask.picture(0, 64, 32), mask.picture(7, 64, 32))


@pytest.mark.parametrize(
    ("frame", "because"),
    [
        (torch.full((32, 64, 3), float("nan")), "no numbers"),
        (torch.zeros(32, 64), "shape 32 x 64"),
        (torch.zeros(32, 64, 4), "shape 32 x 64 x 4"),
        (torch.zeros(16, 64, 3), "the others are 64 x 32"),
    ],
)
def test_a_frame_that_is_no_picture_is_refused_by_its_number(frame: torch.Tensor, because: str) -> None:
    clip = Footage(9, 64, 32, lambda index: frame if index == 6 else torch.zeros(32, 64, 3))
    with pytest.raises(ArtifexError, match=because) as refused:
        list(clip.chunks(9, 64, 32))
    assert "frame 7 of the clip" in refused.value.attempted
    assert refused.value.code == "image"


def test_a_reference_is_shown_whole_on_white() -> None:
    shown = letterboxed(torch.zeros(32, 64, 3), 64, 64)
    assert torch.equal(shown[0, 0, :, 0], torch.cat([torch.ones(16), torch.zeros(32), torch.ones(16)]))

"""An edited clip over its source."""

from __future__ import annotations

import pytest
import torch

from artifexpro.core.wan22 import composite
from artifexpro.core.wan22.footage import Footage

SOURCE = torch.rand(5, 32, 48, 3, generator=torch.Generator().manual_seed(1))
EDITED = torch.rand(5, 32, 48, 3, generator=torch.Generator().manual_seed(2))
MASK = torch.zeros(1, 32, 48, 1)
MASK[:, 8:28, 10:40] = 1


def over(feather: int, mask: torch.Tensor = MASK) -> torch.Tensor:
    made = composite.over(enumerate(EDITED), Footage.of(SOURCE), Footage.of(mask), feather)
    return torch.stack([picture for _, picture in made])


@pytest.mark.parametrize("feather", [0, 1, 3, 6])
def test_outside_the_mask_is_the_source_to_the_last_bit(feather: int) -> None:
    made, outside = over(feather), MASK[0, :, :, 0] == 0
    assert torch.equal(made[:, outside], SOURCE[:, outside])
    if feather == 0:
        assert torch.equal(made[:, ~outside], EDITED[:, ~outside])


def test_well_inside_the_mask_is_what_the_model_made() -> None:
    assert torch.equal(over(3)[:, 15:21, 17:33], EDITED[:, 15:21, 17:33])


def test_feather_softens_the_edge_inwards() -> None:
    row = composite.softened(MASK.permute(0, 3, 1, 2), 3)[0, 0, 18]
    assert not row[:10].any()
    rising = row[9:18]
    assert bool((rising[1:] >= rising[:-1]).all())
    assert 0 < float(row[13]) < 1
    assert float(row[16]) == pytest.approx(1.0)


def test_a_mask_that_ends_at_the_pictures_edge_is_not_softened_there() -> None:
    whole = torch.ones(1, 1, 32, 48)
    torch.testing.assert_close(composite.softened(whole, 6), whole)


def test_a_mask_for_each_frame_moves() -> None:
    moving = torch.zeros(5, 32, 48, 1)
    for index in range(5):
        moving[index, :, index * 4 : index * 4 + 8] = 1
    made = over(0, moving)
    for index in range(5):
        inside = moving[index, :, :, 0] == 1
        assert torch.equal(made[index][inside], EDITED[index][inside])
        assert torch.equal(made[index][~inside], SOURCE[index][~inside])

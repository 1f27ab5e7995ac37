"""The presets are the user's numbers and nothing else."""

from __future__ import annotations

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.presets import PRESETS, delivered_size, preset

ASKED = {
    # name: (delivered, steps, (low, high), frames, shift, dtype, after)
    "Draft": ("480p", 25, (2.5, 3.0), 41, 3.0, "float16", ()),
    "Preview": ("720p", 36, (3.0, 3.5), 81, 4.0, "bfloat16", ()),
    "Production": ("720p", 60, (3.5, 4.5), 121, 5.0, "bfloat16", ()),
    "Cinema": ("1080p", 80, (4.0, 5.0), 241, 5.0, "bfloat16", ("denoise", "sharpen", "color_grade")),
}


def test_presets_are_the_ones_asked_for() -> None:
    found = {
        name: (each.delivered, each.steps, each.guidance, each.frames, each.shift, each.dtype, each.after)
        for name, each in PRESETS.items()
    }
    assert found == ASKED


def test_only_cinema_is_generated_smaller_than_it_is_delivered() -> None:
    assert [each.name for each in PRESETS.values() if each.resolution != each.delivered] == ["Cinema"]


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ArtifexError) as refused:
        preset("draft")
    assert refused.value.code == "settings"
    assert all(name in refused.value.remedy for name in PRESETS)


def test_sizes_delivered() -> None:
    cinema = preset("Cinema")
    for name in ("ti2v-5B", "t2v-A14B"):
        model = catalogue.model(name)
        assert delivered_size(model, cinema, model.sizes["720p"]) == (1920, 1080)
        assert delivered_size(model, cinema, (480, 832)) == (1080, 1872)
    assert delivered_size(catalogue.model("smoke"), cinema, (512, 288)) == (768, 432)
    assert delivered_size(catalogue.model("smoke"), preset("Draft"), (512, 288)) == (0, 0)

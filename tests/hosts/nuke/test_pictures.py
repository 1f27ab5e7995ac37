"""Pictures out and back: half float rounding and no more, values above 1, alpha, and the project's own colour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import PyOpenColorIO as ocio
import pytest

HALF = 2.0**-11
"""Largest relative error of rounding to half float."""
ACES = "fn-nuke_cg-config-v1.0.0_aces-v1.3_ocio-v2.1"


def near(one: list[float], other: list[float], by: float) -> bool:
    return all(abs(a - b) <= by * max(1e-3, abs(b)) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def processed(plugin, daemon_home, tmp_path_factory, newest) -> dict[str, Any]:
    return newest(tmp_path_factory.mktemp("processed")).act("processed")


def test_a_plate_comes_back_but_for_half_float_rounding(processed):
    flip = processed["Flip"]
    assert flip["job"]["state"] == "delivered"
    for place, pixel in flip["here"].items():
        assert near(pixel, flip["plate"][place], HALF), place
    assert max(flip["here"]["lamp"]) > 11.6, "brighter than white"
    assert flip["here"]["half"][3] == 0.5, "half covered"


def test_values_above_one_are_made_and_premultiplied(processed):
    doubled = processed["ColorCorrector"]
    for place, pixel in doubled["here"].items():
        plate = doubled["plate"][place]
        assert near(pixel, [2 * each for each in plate[:3]] + plate[3:], 4 * HALF), place
    assert max(doubled["here"]["lamp"]) == pytest.approx(23.4, rel=1e-3)


def test_handles_are_delivered(processed):
    seen = processed["Flip"]["seen"]
    assert [seen["first"], seen["last"]] == [1000, 1003]
    assert all(Path(seen["file"] % frame).is_file() for frame in range(1000, 1004))


def test_every_pixel_of_the_file_is_the_plates(processed):
    """Not three pixels: all of them, in the files themselves, which hold what the plate's float frames hold as half."""
    seen = processed["Flip"]["seen"]
    made = oiio.ImageBuf(seen["file"] % 1001).get_pixels(oiio.FLOAT)
    folder = Path(seen["file"]).parents[3]
    plate = oiio.ImageBuf(str(folder / "plate" / "plate.1001.exr")).get_pixels(oiio.FLOAT)
    assert made.shape == plate.shape
    error = np.abs(made - plate) / np.maximum(np.abs(plate), 1e-3)
    print(f"largest relative difference {error.max():.2e}; half float rounds by up to {HALF:.2e}")
    assert error.max() <= HALF


def test_a_moving_knob_is_sampled_on_every_frame(processed):
    moving = processed["moving"]
    keys = moving["params"]["exposure"]["curve"]["keys"]
    assert [[key["frame"], key["value"]] for key in keys] == [[1001 + n, n / 2] for n in range(5)]
    assert moving["reds"] == pytest.approx([0.18 * 2 ** (n / 2) for n in range(5)], rel=1e-3)


@pytest.fixture(scope="module")
def graded(newest, tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("graded")
    nuke = newest(folder)
    own = folder / "studio.ocio"
    config = ocio.Config.CreateFromBuiltinConfig("ocio://cg-config-v1.0.0_aces-v1.3_ocio-v2.1")
    own.write_text(config.serialize())
    managements = {
        "nukes": {},
        "aces": {"colorManagement": "OCIO", "OCIO_config": ACES, "workingSpaceLUT": "ACEScg"},
        "wide": {
            "colorManagement": "OCIO",
            "OCIO_config": "custom",
            "customOCIOConfigPath": str(own),
            "workingSpaceLUT": "ACES2065-1",
        },
    }
    return nuke.act("graded", managements=managements)


@pytest.mark.parametrize(
    ("name", "nukes", "daemons"),
    [
        ("nukes", "linear", "Linear Rec.709 (sRGB)"),
        ("aces", "ACEScg", "ACEScg"),
        ("wide", "ACEScg", "ACEScg"),
    ],
)
def test_pictures_travel_in_a_space_both_sides_know(graded, name, nukes, daemons):
    told = graded[name]
    assert told["job"]["state"] == "delivered", told["job"]
    assert told["seen"]["colorspace"] == nukes
    assert told["document"]["frames"]["params"]["space"] == daemons
    assert told["document"]["video"]["params"]["space"] == daemons


@pytest.mark.parametrize("name", ["nukes", "aces", "wide"])
def test_the_script_sees_its_plate_in_its_own_working_space(graded, name):
    """In ACES2065-1 two matrices of the project's config stand between, each in float."""
    for place, pixel in graded[name]["here"].items():
        assert near(pixel, graded[name]["plate"][place], 4 * HALF), place


def test_the_file_of_a_wide_script_is_in_acescg_indeed(graded):
    """The oracle: OpenColorIO on the plate's numbers."""
    config = ocio.Config.CreateFromBuiltinConfig("ocio://cg-config-v1.0.0_aces-v1.3_ocio-v2.1")
    processor = config.getProcessor("ACES2065-1", "ACEScg").getDefaultCPUProcessor()
    wanted = processor.applyRGB(list(graded["wide"]["plate"]["grey"][:3]))
    written = oiio.ImageBuf(graded["wide"]["seen"]["file"] % 1001).getpixel(40, 33)
    assert near(list(written[:3]), wanted, 2 * HALF)
    assert not near(wanted, graded["wide"]["plate"]["grey"][:3], 0.01), (
        "the two spaces differ, or nothing is shown here"
    )


def test_the_recipe_is_in_the_header(processed):
    recipe = json.loads(processed["ColorCorrector"]["seen"]["metadata"]["exr/artifexpro:recipe"])
    assert recipe["graph"]["nodes"]["result"] == {
        "type": "ColorCorrector",
        "version": 1,
        "params": {"exposure": 1.0},
        "inputs": {"video": ["video", "out"]},
    }

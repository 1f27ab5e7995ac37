"""Image files: what is written comes back, with its header, and damage is said."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media import color, still
from artifexpro.core.media.pixels import rows
from artifexpro.core.media.still import Header, Packing

MakePicture = Callable[..., torch.Tensor]


def save(path: Path, array: np.ndarray, kind: str, **attributes: object) -> Path:
    spec = oiio.ImageSpec(array.shape[1], array.shape[0], array.shape[2], kind)
    for name, value in attributes.items():
        spec.attribute(name, value)
    target = oiio.ImageOutput.create(str(path))
    assert target.open(str(path), spec)
    assert target.write_image(array)
    assert target.close()
    return path


@pytest.mark.parametrize("alpha", [False, True])
def test_exr_keeps_scene_linear_pixels_above_one(tmp_path: Path, soft_picture: MakePicture, alpha: bool) -> None:
    pixels = soft_picture(alpha=alpha) * 5
    still.write(tmp_path / "a.exr", pixels, "exr", Header())
    torch.testing.assert_close(still.read(tmp_path / "a.exr"), pixels.half().float(), atol=0, rtol=0)


def test_exr_header_says_what_the_pixels_are(tmp_path: Path, soft_picture: MakePicture) -> None:
    header = Header("ACEScg", Fraction(24000, 1001), 1001, {still.RECIPE: '{"prompt": "Boot im Regen, \u00e4"}'})
    still.write(tmp_path / "a.exr", soft_picture(), "exr", header)
    source = oiio.ImageInput.open(str(tmp_path / "a.exr"))
    spec = source.spec()
    assert (spec.format, spec.channelnames, spec.alpha_channel) == ("half", ("R", "G", "B", "A"), 3)
    assert spec.get_string_attribute("compression") == "zip"
    assert spec.get_string_attribute("colorInteropID") == "lin_ap1_scene"
    np.testing.assert_allclose(
        spec.getattribute("chromaticities"), (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767), rtol=1e-6
    )
    assert spec.getattribute("framesPerSecond") == (24000, 1001)
    assert spec.getattribute("smpte:TimeCode") == (0x00004117, 0)
    assert spec.getattribute("DateTime") is None
    info = still.probe(tmp_path / "a.exr")
    assert info.rate == Fraction(24000, 1001)
    assert info.space is not None
    assert color.same(info.space, "ACEScg")
    assert info.recipe == '{"prompt": "Boot im Regen, \u00e4"}'


def test_other_spaces_say_theirs(tmp_path: Path, soft_picture: MakePicture) -> None:
    still.write(tmp_path / "a.exr", soft_picture(), "exr", Header("lin_rec709"))
    spec = oiio.ImageInput.open(str(tmp_path / "a.exr")).spec()
    assert spec.get_string_attribute("colorInteropID") == "lin_rec709_scene"
    expected = color.transform(soft_picture().half().float(), "lin_rec709", "ACEScg")
    torch.testing.assert_close(still.read(tmp_path / "a.exr"), expected)


@pytest.mark.parametrize("packing", ["exr", "png8", "png16"])
def test_equal_pictures_give_equal_bytes(tmp_path: Path, soft_picture: MakePicture, packing: Packing) -> None:
    ending = packing[:3]
    for name in ("a", "b"):
        still.write(
            tmp_path / f"{name}.{ending}", soft_picture(alpha=True), packing, Header("srgb_tx", text={"x": "y"})
        )
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_what_half_cannot_hold_becomes_its_largest(tmp_path: Path) -> None:
    bright = torch.full((1, 4, 2, 2), 1e6).contiguous(memory_format=torch.channels_last)
    still.write(tmp_path / "a.exr", bright, "exr", Header())
    assert (still.read(tmp_path / "a.exr") == still.LARGEST_HALF).all()


@pytest.mark.parametrize(("packing", "step"), [("png8", 1 / 255), ("png16", 1 / 65535)])
def test_png_keeps_pixels_to_half_a_step(
    tmp_path: Path, soft_picture: MakePicture, packing: Packing, step: float
) -> None:
    shown = soft_picture(alpha=True)
    still.write(tmp_path / "a.png", shown, packing, Header("srgb_tx"))
    array = oiio.ImageInput.open(str(tmp_path / "a.png"), _straight()).read_image("float")
    covered = rows(shown)[..., 3:]
    np.testing.assert_allclose(array[..., 3:], covered, atol=step * 0.51)
    np.testing.assert_allclose(array[..., :3], rows(shown)[..., :3] / covered, atol=step * 0.51)
    back = color.transform(still.read(tmp_path / "a.png"), "ACEScg", "srgb_tx")
    torch.testing.assert_close(back, shown, atol=step * 1.5, rtol=0)


def _straight() -> oiio.ImageSpec:
    hints = oiio.ImageSpec()
    hints.attribute("oiio:UnassociatedAlpha", 1)
    return hints


@pytest.mark.parametrize(
    ("name", "kind", "attributes", "space"),
    [
        ("a.png", "uint8", {}, "srgb_tx"),
        ("a.tif", "uint16", {}, "srgb_tx"),
        ("a.exr", "half", {}, "lin_rec709"),
        ("a.exr", "float", {"colorInteropID": "lin_rec2020_scene"}, "lin_rec2020"),
    ],
)
def test_auto_goes_by_header_and_kind(
    tmp_path: Path, soft_picture: MakePicture, name: str, kind: str, attributes: dict[str, str], space: str
) -> None:
    shown = soft_picture()
    path = save(tmp_path / name, rows(shown)[..., :3].copy(), kind, **attributes)
    expected = color.transform(shown, space, "ACEScg")
    torch.testing.assert_close(still.read(path), expected, atol=6e-3, rtol=0)
    torch.testing.assert_close(still.read(path, space="ACEScg"), shown, atol=6e-3, rtol=0)


def test_a_smaller_size_is_the_mean_of_the_larger(tmp_path: Path, soft_picture: MakePicture) -> None:
    still.write(tmp_path / "a.exr", soft_picture(alpha=True), "exr", Header())
    expected = torch.nn.functional.avg_pool2d(still.read(tmp_path / "a.exr"), 4)
    torch.testing.assert_close(still.read(tmp_path / "a.exr", (16, 12)), expected, atol=1e-5, rtol=1e-4)


def test_a_data_window_lies_in_its_display_window(tmp_path: Path) -> None:
    spec = oiio.ImageSpec(4, 3, 4, "float")
    spec.x, spec.y, spec.full_x, spec.full_y, spec.full_width, spec.full_height = 6, -1, 2, 0, 6, 5
    target = oiio.ImageOutput.create(str(tmp_path / "a.exr"))
    target.open(str(tmp_path / "a.exr"), spec)
    target.write_image(np.ones((3, 4, 4), np.float32))
    target.close()
    alpha = still.read(tmp_path / "a.exr", space="ACEScg")[0, 3]
    expected = torch.zeros(5, 6)
    expected[:2, 4:] = 1
    assert torch.equal(alpha, expected)


def test_grey_and_layered_files_are_read(tmp_path: Path) -> None:
    grey = save(tmp_path / "grey.png", np.full((3, 4, 1), 0.5, np.float32), "uint8")
    assert torch.unique(still.read(grey, space="ACEScg")[:, :3]).numel() == 1
    spec = oiio.ImageSpec(2, 2, 6, "float")
    spec.channelnames = ("Z", "R", "G", "B", "A", "id")
    target = oiio.ImageOutput.create(str(tmp_path / "layers.exr"))
    target.open(str(tmp_path / "layers.exr"), spec)
    target.write_image(np.broadcast_to(np.array([9, 0.1, 0.2, 0.3, 1, 7], np.float32), (2, 2, 6)).copy())
    target.close()
    read = still.read(tmp_path / "layers.exr", space="ACEScg")[0, :, 0, 0]
    torch.testing.assert_close(read, torch.tensor([0.1, 0.2, 0.3, 1.0]))


@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
@pytest.mark.parametrize("name", ["a.exr", "a.png", "a.jpg", "a.tif"])
def test_a_cut_off_picture_is_refused(tmp_path: Path, name: str, share: float) -> None:
    noise = np.random.default_rng(1).random((120, 160, 3), np.float32)
    path = save(tmp_path / name, noise, "half" if name.endswith("exr") else "uint8")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ArtifexError, match=str(path)) as refusal:
        still.read(path)
    assert refusal.value.code == "damaged"


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.exr").write_text("hello")
    with pytest.raises(ArtifexError, match="not a whole picture"):
        still.probe(tmp_path / "a.exr")
    with pytest.raises(ArtifexError, match="no such file"):
        still.probe(tmp_path / "b.exr")

"""Colour nodes: spaces, grades, LUTs and views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import PrivateAttr

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.kinds import PointNode, StraightNode
from artifexpro.core.graph.node import Preflight, Socket, parameter
from artifexpro.core.graph.values import ImageBuffer, SocketType, StreamInfo
from artifexpro.core.media import color, grade, hsv, lut, view
from artifexpro.core.media.channels import Mix
from artifexpro.core.media.files import identity, sha256

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VIDEO = (Socket("video", SocketType.VIDEO),)


class ColorSpace(StraightNode):
    """Converts a clip to another colour space; from there on it is in that space.

    Nodes downstream compute on the numbers as they are, and Merge takes two clips of one space only. Alpha is divided
    out before and multiplied in after.
    """

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = _VIDEO
    example: ClassVar[Mapping[str, Any]] = {"to": "ACEScct"}

    to: str = parameter("ACEScg", "The space to convert to, by any name the colour config knows.", unit="colour space")

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        color.canonical(self.to)
        return replace(infos["video"], space=self.to)

    def straight(self, picture: ImageBuffer, *, opaque: bool, free: bool) -> ImageBuffer:
        processor = color.between(picture.space, self.to)
        pixels = picture.pixels if processor is None else color.applied(processor, picture.pixels, free=free)
        return ImageBuffer(pixels, self.to)


class _Grade(StraightNode):
    """What grades share: one computation, of numbers that each works out from its parameters."""

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = _VIDEO

    def _grade(self) -> grade.Grade:
        raise NotImplementedError

    def weights(self) -> NDArray[Any] | None:
        mix = self._grade().mix
        return None if mix is None else mix.weights

    def mixed(self, picture: ImageBuffer, weights: NDArray[Any]) -> ImageBuffer:
        return picture.with_pixels(Mix(weights)(picture.pixels).to(picture.pixels.dtype))

    def straight(self, picture: ImageBuffer, *, opaque: bool, free: bool) -> ImageBuffer:
        return picture.with_pixels(grade.straight(picture.pixels, self._grade(), opaque=opaque))


class ColorCorrector(_Grade):
    """Exposure, contrast, saturation and hue, in this order, on scene-linear light.

    Nothing clips: highlights above 1 go on, and contrast leaves negative values as they are. Saturation and hue keep
    grey and the luminance of ACEScg.
    """

    example: ClassVar[Mapping[str, Any]] = {"exposure": 0.5, "contrast": 1.1}

    exposure: float = parameter(
        0.0,
        "Brighter by this many stops: 1 is twice the light.",
        minimum=-20,
        maximum=20,
        unit="stops",
        animatable=True,
    )
    contrast: float = parameter(
        1.0, "Power about the pivot: above 1 is more contrast.", minimum=0.01, maximum=10, animatable=True
    )
    pivot: float = parameter(
        0.18, "The light that contrast leaves as it is.", minimum=0.0001, maximum=100, animatable=True
    )
    saturation: float = parameter(1.0, "Colour: 0 is grey, 2 is twice as much.", minimum=0, maximum=10, animatable=True)
    hue: float = parameter(
        0.0, "Turn of all hues, from red towards green.", minimum=-360, maximum=360, unit="degrees", animatable=True
    )

    def identity(self) -> str | None:
        return "video" if (self.exposure, self.contrast, self.saturation, self.hue % 360) == (0, 1, 1, 0) else None

    def _grade(self) -> grade.Grade:
        return grade.corrector(self.exposure, self.contrast, self.pivot, self.saturation, self.hue % 360)


def _wheel(default: float, doc: str, minimum: float, maximum: float) -> Any:
    return parameter(default, doc, minimum=minimum, maximum=maximum, animatable=True)


class ColorWheels(_Grade):
    """Lift, gamma, gain and offset: for each channel, and for all of them together.

    Lift moves black and holds white, gain moves white and holds black, gamma moves what is between, offset moves all.
    Lift and offset of the channels are added to the common one, gamma and gain multiplied with it. Gamma leaves
    negative values as they are; nothing clips.
    """

    example: ClassVar[Mapping[str, Any]] = {"lift": 0.02, "gamma_red": 1.1, "gain_blue": 0.9}

    lift: float = _wheel(0.0, "Black of all channels.", -2, 2)
    lift_red: float = _wheel(0.0, "Black of red, on top of lift.", -2, 2)
    lift_green: float = _wheel(0.0, "Black of green, on top of lift.", -2, 2)
    lift_blue: float = _wheel(0.0, "Black of blue, on top of lift.", -2, 2)
    gamma: float = _wheel(1.0, "What is between black and white, of all channels: above 1 is brighter.", 0.01, 10)
    gamma_red: float = _wheel(1.0, "Gamma of red, times gamma.", 0.01, 10)
    gamma_green: float = _wheel(1.0, "Gamma of green, times gamma.", 0.01, 10)
    gamma_blue: float = _wheel(1.0, "Gamma of blue, times gamma.", 0.01, 10)
    gain: float = _wheel(1.0, "White of all channels.", 0, 100)
    gain_red: float = _wheel(1.0, "White of red, times gain.", 0, 100)
    gain_green: float = _wheel(1.0, "White of green, times gain.", 0, 100)
    gain_blue: float = _wheel(1.0, "White of blue, times gain.", 0, 100)
    offset: float = _wheel(0.0, "Added to all channels.", -2, 2)
    offset_red: float = _wheel(0.0, "Added to red, on top of offset.", -2, 2)
    offset_green: float = _wheel(0.0, "Added to green, on top of offset.", -2, 2)
    offset_blue: float = _wheel(0.0, "Added to blue, on top of offset.", -2, 2)

    def _grade(self) -> grade.Grade:
        return grade.wheels(
            (self.lift + self.lift_red, self.lift + self.lift_green, self.lift + self.lift_blue),
            (self.gamma * self.gamma_red, self.gamma * self.gamma_green, self.gamma * self.gamma_blue),
            (self.gain * self.gain_red, self.gain * self.gain_green, self.gain * self.gain_blue),
            (self.offset + self.offset_red, self.offset + self.offset_green, self.offset + self.offset_blue),
        )


class CDL(_Grade):
    """ASC Color Decision List, release 1.2: slope, offset and power for each channel, then saturation.

    The release clamps to 0..1 before the power and at the end, which is right for display-referred pictures; for
    scene-linear ones it may clamp at black alone, or not at all, and power then leaves negative values as they are.
    """

    example: ClassVar[Mapping[str, Any]] = {"slope_red": 1.1, "offset_blue": 0.01, "saturation": 0.9}

    slope_red: float = _wheel(1.0, "Red is multiplied by this.", 0, 100)
    slope_green: float = _wheel(1.0, "Green is multiplied by this.", 0, 100)
    slope_blue: float = _wheel(1.0, "Blue is multiplied by this.", 0, 100)
    offset_red: float = _wheel(0.0, "Then this is added to red.", -10, 10)
    offset_green: float = _wheel(0.0, "Then this is added to green.", -10, 10)
    offset_blue: float = _wheel(0.0, "Then this is added to blue.", -10, 10)
    power_red: float = _wheel(1.0, "Red is then raised to this power: above 1 is darker.", 0.01, 10)
    power_green: float = _wheel(1.0, "Green is then raised to this power: above 1 is darker.", 0.01, 10)
    power_blue: float = _wheel(1.0, "Blue is then raised to this power: above 1 is darker.", 0.01, 10)
    saturation: float = _wheel(1.0, "Colour, about Rec.709 luma: 0 is grey.", 0, 10)
    clamp: grade.Clamp = parameter("none", "What is cut off before power and after saturation.")

    def _grade(self) -> grade.Grade:
        return grade.cdl(
            (self.slope_red, self.slope_green, self.slope_blue),
            (self.offset_red, self.offset_green, self.offset_blue),
            (self.power_red, self.power_green, self.power_blue),
            self.saturation,
            self.clamp,
        )


class HueSaturation(PointNode):
    """Hue, saturation and value in the hexagonal HSV model.

    Value has no ceiling; saturation stops at 1, and what comes out negative becomes 0.
    """

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = _VIDEO
    example: ClassVar[Mapping[str, Any]] = {"hue": 15.0, "saturation": 1.2}

    hue: float = parameter(
        0.0, "Turn of all hues, from red towards green.", minimum=-360, maximum=360, unit="degrees", animatable=True
    )
    saturation: float = parameter(1.0, "Saturation is multiplied by this.", minimum=0, maximum=10, animatable=True)
    value: float = parameter(
        1.0, "The brightest channel is multiplied by this.", minimum=0, maximum=100, animatable=True
    )

    def point(self, video: ImageBuffer) -> ImageBuffer:
        return video.with_pixels(hsv.adjust(video.pixels, self.hue, self.saturation, self.value))


class LUT(StraightNode):
    """A look-up table from a file: .cube, .3dl, .clf and all else that OpenColorIO reads.

    A table knows nothing of the space its numbers are in. By default it takes the clip's numbers as they are. With
    `space` the clip is converted to it for the table and back again; with `gives` the clip is, from there on, in that
    space, as a table from camera log to a display wants it. Where a clip has no coverage, black stays black.
    """

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = _VIDEO
    example: ClassVar[Mapping[str, Any]] = {"path": "/looks/show.cube", "space": "ACEScct"}

    path: str = parameter("", "The table's file: its whole path.", unit="path")
    space: str = parameter("", "Space the table is made for; empty takes the numbers as they are.", unit="colour space")
    gives: str = parameter("", "Space of what the table gives; empty is that of the clip.", unit="colour space")
    interpolation: lut.Interpolation = parameter(
        "tetrahedral", "How colours between the points of a 3D table are found: tetrahedral keeps grey clean."
    )

    _written: str | None = PrivateAttr(None)

    def preflight(self, context: Preflight) -> None:
        lut.check_file(self.path)

    def fingerprint(self, context: Preflight) -> str:
        try:
            lut.check_file(self.path)
        except ArtifexError:
            return ""
        return identity(Path(self.path))

    def provenance(self, models: Path) -> Mapping[str, Any]:
        return {"path": self.path, "sha256": sha256(Path(self.path))}

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        info = infos["video"]
        for space in filter(None, (self.space, self.gives)):
            color.canonical(space)
        self._through(info.space)
        return replace(info, space=self.gives or info.space)

    def straight(self, picture: ImageBuffer, *, opaque: bool, free: bool) -> ImageBuffer:
        processor = self._through(picture.space)
        pixels = color.applied(processor, picture.pixels, free=free, keeps_nothing=not opaque)
        return ImageBuffer(pixels, self.gives or picture.space)

    def _through(self, source: str) -> Any:
        """The file is read as it was when this node was first asked."""
        if self._written is None:
            self._written = identity(Path(self.path))
        takes = self.space or source
        gives = self.gives or takes
        return lut.processor(self.path, self._written, self.interpolation, source, takes, gives, self.gives or source)


class View(StraightNode):
    """A scene-linear clip as a display shows it, by a view of the colour config; from there on it is display-referred.

    Baked, an ACES view is a table over light from 0 to 128. It is off by a tenth of one step of eight bits in the mean
    and by less than one step for 99 of 100 pixels, more only in saturated highlights; light below 0 is shown as 0, as
    the view itself does. Views of a matrix and a curve alone need no table.
    """

    category: ClassVar[str] = "color"
    inputs: ClassVar[tuple[Socket, ...]] = _VIDEO
    example: ClassVar[Mapping[str, Any]] = {"view": "Un-tone-mapped"}

    display: str = parameter("sRGB - Display", "The display, by the name the colour config has for it.")
    view: str = parameter("ACES 2.0 - SDR 100 nits (Rec.709)", "The view: one of those the display has.")
    quality: Literal["baked", "exact"] = parameter(
        "baked", "By a table, fast enough for playback, or the view itself, a hundred times slower."
    )

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        space = view.space_of(self.display, self.view)
        self._through(infos["video"].space)
        return replace(infos["video"], space=space)

    def straight(self, picture: ImageBuffer, *, opaque: bool, free: bool) -> ImageBuffer:
        processor = self._through(picture.space)
        pixels = color.applied(processor, picture.pixels, free=free, keeps_nothing=not opaque)
        return ImageBuffer(pixels, view.space_of(self.display, self.view))

    def _through(self, source: str) -> Any:
        made = view.baked if self.quality == "baked" else view.exact
        return made(self.display, self.view, source)

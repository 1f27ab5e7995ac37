"""The library is found by itself, loads no pixel library, and every node keeps the rules for nodes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import torch
from pydantic import ValidationError

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.kinds import FrameNode, PointNode, SinkNode, SourceNode
from artifexpro.core.graph.node import Node
from artifexpro.core.graph.values import (
    DataPayload,
    FrameRequest,
    ImageBuffer,
    MaskChannel,
    Region,
    SocketType,
    StreamInfo,
)
from artifexpro.core.media import channels, hsv, resample
from artifexpro.core.nodes import library
from artifexpro.core.nodes.catalogue import catalogue, entry

NODES = list(library())
RGB = ("red", "green", "blue")
HEAVY = ("torch", "cv2", "av", "OpenImageIO", "PyOpenColorIO", "numpy", "opentimelineio", "diffusers", "transformers")
NAMES = {
    "MediaInput", "SequenceInput", "TI2VGenerator", "T2VGenerator", "ColorSpace", "Merge", "Transform2D", "Blur",
    "FileOutput", "TimelineOutput", "ContactSheet", "Solid", "ChromaKey", "Glow", "Grain", "Flip", "ColorCorrector",
    "ColorWheels", "CDL", "HueSaturation", "LUT", "View",
}  # fmt: skip
"""Saved graphs use these names: they stay for ever."""


def named(nodes: list[type[Node]]) -> Any:
    return pytest.mark.parametrize("node", nodes, ids=[node.type_name() for node in nodes])


def of(kind: type[Node]) -> list[type[Node]]:
    return [node for node in NODES if issubclass(node, kind)]


def test_names_of_saved_graphs_are_there() -> None:
    assert {node.type_name() for node in NODES} >= NAMES
    assert library() is library()


def test_declarations_load_no_pixel_library() -> None:
    script = f"""
import json, sys
from artifexpro.core.media import channels, hsv, resample
from artifexpro.core.nodes import library
from artifexpro.core.nodes.catalogue import catalogue
catalogue(library())
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == []


def test_the_catalogue_is_json_in_the_published_shape() -> None:
    listed = catalogue(library())
    assert json.loads(json.dumps(listed)) == listed
    for one in listed:
        assert list(one) == ["name", "category", "version", "doc", "inputs", "outputs", "parameters", "example"]
        for socket in one["inputs"] + one["outputs"]:
            assert list(socket) == ["name", "type", "optional"]
            assert socket["type"] in list(SocketType)
        for parameter in one["parameters"]:
            expected = ["name", "type", "default", "minimum", "maximum", "unit", "animatable", "doc"]
            assert list(parameter) == expected + (["choices"] if parameter["type"] == "choice" else [])


@named(NODES)
def test_every_node_is_documented(node: type[Node]) -> None:
    assert node.category
    assert node.help().endswith(".")
    assert node.version >= 1
    for parameter in entry(node)["parameters"]:
        assert parameter["doc"], parameter["name"]
        assert parameter["doc"][0].isupper() or parameter["doc"][0].isdigit()
        assert parameter["doc"].endswith(".")
        if parameter["type"] == "float":
            assert parameter["minimum"] is not None
            assert parameter["maximum"] is not None
        if parameter["name"] in node.lengths():
            assert parameter["unit"] == "px"


@named(NODES)
def test_defaults_and_example_are_valid(node: type[Node]) -> None:
    node.model_validate({}, strict=True)
    example = entry(node)["example"]
    assert example["params"], "an example shows at least one parameter"
    built = node.model_validate(example["params"], strict=True)
    assert built != node()
    assert set(example["inputs"]) == {socket.name for socket in node.inputs if not socket.optional}


@named(NODES)
def test_limits_are_kept(node: type[Node]) -> None:
    for parameter in entry(node)["parameters"]:
        for limit, beyond in ((parameter["minimum"], -1), (parameter["maximum"], 1)):
            if limit is not None:
                node.model_validate({parameter["name"]: limit}, strict=True)
                with pytest.raises(ValidationError):
                    node.model_validate({parameter["name"]: limit + beyond}, strict=True)
    with pytest.raises(ValidationError):
        node.model_validate({"no such parameter": 1})


def changed(node: type[Node], name: str) -> Iterator[Any]:
    """Other values for a parameter than its default."""
    info = node.model_fields[name]
    kind = info.annotation
    if get_origin(kind) is Literal:
        yield from (choice for choice in get_args(kind) if choice != info.default)
    elif kind is str:
        yield "ACEScc" if name in ("space", "to") else "25" if name == "rate" else f"other-{info.default}"
    elif kind is bool:
        yield not info.default
    elif float in (kind, *get_args(kind)):
        yield 0.5 if info.default != 0.5 else 0.75
    else:
        yield 3 if info.default != 3 else 2


@named(NODES)
def test_every_parameter_is_in_the_key(node: type[Node]) -> None:
    """A node's key is made of its parameters as JSON: no value of any may get lost there."""
    plain = json.dumps(node().model_dump(mode="json"), sort_keys=True)
    for name in node.model_fields:
        for value in (OTHER[node.type_name(), name],) if (node.type_name(), name) in OTHER else changed(node, name):
            assert json.dumps(node(**{name: value}).model_dump(mode="json"), sort_keys=True) != plain


ACTING: dict[str, dict[str, Any]] = {
    "ApplyMatte": {"amount": 0.8},
    "Blur": {"size": 3.0},
    "CDL": {
        **{f"slope_{channel}": 1.2 for channel in RGB},
        **{f"offset_{channel}": -0.3 for channel in RGB},
        **{f"power_{channel}": 1.3 for channel in RGB},
        "saturation": 1.4,
        "clamp": "none",
    },
    "ChromaKey": {"screen": "green", "strength": 4.0, "black": 0.1, "white": 0.9, "despill": 0.7},
    "ColorCorrector": {"exposure": 0.4, "contrast": 1.2, "pivot": 0.2, "saturation": 1.2, "hue": 20.0},
    "ColorSpace": {"to": "ACEScct"},
    "ColorWheels": {
        f"{wheel}{channel}": value
        for wheel, value in (("lift", 0.03), ("gamma", 1.1), ("gain", 0.9), ("offset", 0.01))
        for channel in ("", "_red", "_green", "_blue")
    },
    "CombineMattes": {"operation": "union"},
    "ContactSheet": {"columns": 2, "count": 4, "width": 96},
    "Deflicker": {"strength": 1.0, "window": 1},
    "Flip": {"horizontal": True, "vertical": False},
    "FrameBlend": {"before": 1, "after": 1},
    "FrameHold": {"frame": 1002},
    "Glow": {"threshold": 0.2, "size": 3.0, "intensity": 0.3},
    "Grain": {"size": 0.7, "intensity": 0.02, "color": 0.3, "seed": 1},
    "HueSaturation": {"hue": 20.0, "saturation": 0.9, "value": 1.1},
    "InvertMatte": {"amount": 0.8},
    "LUT": {"path": "@look.cube", "space": "ACEScct", "gives": "ACEScct", "interpolation": "tetrahedral"},
    "MatteFrom": {"channel": "luminance"},
    "Merge": {"mode": "over", "mix": 1.0},
    "Repair": {"how": "clamp", "largest": 0.3},
    "TemporalMedian": {"reach": 1, "mix": 0.9},
    "TimeOffset": {"by": 1},
    "TimeRemap": {"frame": 1002.4, "between": "blend", "first": 1001, "last": 1006},
    "Transform2D": {"x": 3.0, "y": 2.0, "rotate": 10.0, "scale": 0.9, "filter": "bicubic"},
    "View": {"display": "sRGB - Display", "view": "ACES 2.0 - SDR 100 nits (Rec.709)", "quality": "baked"},
}
"""Parameters with which every one of a frame node's parameters has something to do; "@" is a file of `looks`."""

OTHER: dict[tuple[str, str], Any] = {
    ("AudioInput", "rate"): 44_100,
    ("ControlCurve", "curve"): {"keys": [{"frame": 3, "value": 2}]},
    ("ContactSheet", "width"): 64,
    ("FrameHold", "frame"): 1004,
    ("LUT", "path"): "@other.cube",
    ("LUT", "space"): "ACEScc",
    ("LUT", "gives"): "srgb_tx",
    ("TimeOffset", "by"): -1,
    ("TimeRemap", "first"): 1002,
    ("TimeRemap", "last"): 1005,
    ("View", "display"): "Gamma 2.2 Rec.709 - Display",
    ("View", "view"): "Un-tone-mapped",
}
"""Other values for parameters that only take some."""

RANGES = ("first", "last")
"""Parameters that say which frames there are, and change none of them."""


@pytest.fixture(scope="session")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """look.cube and other.cube: two 3D tables that mix channels."""
    folder = tmp_path_factory.mktemp("looks")
    for name, power in (("look", 1.3), ("other", 0.8)):
        steps = [at / 4 for at in range(5)]
        points = [
            (red**power, 0.8 * green + 0.2 * red * blue, blue**2) for blue in steps for green in steps for red in steps
        ]
        lines = ["LUT_3D_SIZE 5", *(" ".join(f"{value:.6f}" for value in point) for point in points)]
        (folder / f"{name}.cube").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def acting(looks: Path) -> Callable[[type[Node]], dict[str, Any]]:
    """A node's entry of `ACTING`."""
    return lambda node: {name: _found(value, looks) for name, value in ACTING[node.type_name()].items()}


def _found(value: Any, looks: Path) -> Any:
    return str(looks / value[1:]) if isinstance(value, str) and value.startswith("@") else value


@named(of(FrameNode))
def test_every_parameter_of_a_frame_node_acts(
    node: type[Node], graph: Callable[..., Any], plate: tuple, acting: Callable[..., Any], looks: Path
) -> None:
    params = acting(node)
    assert set(params) == set(node.model_fields), "a new parameter needs a value here, with which it acts"
    built = graph_of(graph, plate, node, params)
    before = built.frame("node", 1002)
    for name in node.model_fields:
        other = OTHER.get((node.type_name(), name))
        for value in changed(node, name) if other is None else (_found(other, looks),):
            if value == params[name]:
                continue
            altered = graph_of(graph, plate, node, {**params, name: value})
            if name in RANGES:
                assert altered.info("node") != built.info("node")
                continue
            after = altered.frame("node", 1002)
            same = after.size == before.size and torch.equal(after.pixels, before.pixels)
            same = same and getattr(after, "space", "") == getattr(before, "space", "")
            assert not same, f"{name} = {value!r} changes nothing"


def graph_of(graph: Callable[..., Any], plate: tuple, node: type[Node], params: dict[str, Any]) -> Any:
    """A graph in which "node" has all its inputs: a plate that moves, the same upside down, mattes and data of them."""
    nodes = {
        "plate": plate,
        "under": ("Transform2D", {"rotate": 180.0}, {"video": "plate"}),
        "matte": ("MatteFrom", {"channel": "red"}, {"video": "plate"}),
        "second matte": ("MatteFrom", {"channel": "red"}, {"video": "under"}),
        "data": ("ColorAnalyzer", {}, {"video": "plate"}),
    }
    sources = {
        SocketType.VIDEO: ("plate", "under"),
        SocketType.MASK: ("matte", "second matte"),
        SocketType.DATA: ("data", "data"),
    }
    inputs = {socket.name: sources[socket.type][socket.name == "b"] for socket in node.inputs}
    return graph(**nodes, node=(node.type_name(), params, inputs))


INFO = StreamInfo(1001, 1006, Fraction(25), 64, 48)


def given(node: FrameNode, make: Callable[..., torch.Tensor]) -> dict[str, Any]:
    """Inputs as the engine hands them over: pictures of 64 x 48 that differ, with alpha, and data."""
    pictures = {socket.name: INFO for socket in node.inputs if socket.type is not SocketType.DATA}
    wanted = node.needs(FrameRequest(1002), pictures)
    inputs: dict[str, Any] = {}
    for at, socket in enumerate(node.inputs):
        if socket.type is SocketType.DATA:
            inputs[socket.name] = DataPayload("luminance", {"first": 1001, "mean": [0.5, 0.6, 0.4, 0.5, 0.5, 0.5]})
            continue
        buffers = []
        for request in wanted[socket.name]:
            pixels = make(phase=at + request.frame - 1002, alpha=True)
            is_matte = socket.type is SocketType.MASK
            buffers.append(MaskChannel(pixels[:, :1].contiguous()) if is_matte else ImageBuffer(pixels))
        inputs[socket.name] = buffers[0] if len(buffers) == 1 else tuple(buffers)
    return inputs


def pictures_of(inputs: dict[str, Any]) -> Iterator[ImageBuffer | MaskChannel]:
    for value in inputs.values():
        if not isinstance(value, DataPayload):
            yield from value if isinstance(value, tuple) else (value,)


@named(of(FrameNode))
def test_inputs_are_never_changed_and_results_are_equal(
    node: type[Node], soft_picture: Callable[..., torch.Tensor], acting: Callable[..., Any]
) -> None:
    built = node.model_validate(acting(node))
    assert isinstance(built, FrameNode)
    inputs = given(built, soft_picture)
    before = [picture.pixels.clone() for picture in pictures_of(inputs)]
    first = built.render(FrameRequest(1002), **inputs)
    second = built.render(FrameRequest(1002), **inputs)
    assert torch.equal(first.pixels, second.pixels)
    assert first.pixels.is_contiguous(memory_format=torch.channels_last)
    for picture, pixels in zip(pictures_of(inputs), before, strict=True):
        assert torch.equal(picture.pixels, pixels)


def altered(inputs: dict[str, Any], change: Callable[[torch.Tensor], torch.Tensor]) -> dict[str, Any]:
    def of_one(value: Any) -> Any:
        if isinstance(value, DataPayload):
            return value
        return tuple(map(of_one, value)) if isinstance(value, tuple) else value.with_pixels(change(value.pixels))

    return {name: of_one(value) for name, value in inputs.items()}


@named(of(FrameNode))
def test_what_is_no_number_stays_where_it_is(
    node: type[Node], soft_picture: Callable[..., torch.Tensor], acting: Callable[..., Any]
) -> None:
    """Nothing crashes, nothing hangs, and where each pixel stands for itself no other one changes."""
    built = node.model_validate(acting(node))
    assert isinstance(built, FrameNode)

    def damaged(pixels: torch.Tensor) -> torch.Tensor:
        out = pixels.clone(memory_format=torch.preserve_format)
        for at, value in enumerate((float("nan"), float("inf"), -float("inf"), -1e30, 1e30)):
            out[:, :, 20, 20 + at] = value
            out[:, :1, 22, 20 + at] = value
        return out

    inputs = given(built, soft_picture)
    whole = built.render(FrameRequest(1002), **inputs).pixels
    result = built.render(FrameRequest(1002), **altered(inputs, damaged)).pixels
    assert result.shape == whole.shape
    if isinstance(built, PointNode):
        torch.testing.assert_close(result[:, :, :20], whole[:, :, :20], atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(result[:, :, 20:23, :20], whole[:, :, 20:23, :20], atol=1e-6, rtol=1e-5)
        mends = node.type_name() == "Repair"
        assert bool(result[0, :, 20, 20].isfinite().all()) is mends


@named(of(PointNode))
def test_a_point_node_takes_any_strip_and_half_floats(
    node: type[Node], soft_picture: Callable[..., torch.Tensor], acting: Callable[..., Any]
) -> None:
    built = node.model_validate(acting(node))
    assert isinstance(built, PointNode)
    inputs = given(built, soft_picture)
    whole = built.point(**inputs).pixels
    for strip in (slice(0, 1), slice(5, 22), slice(47, 48)):
        part = built.point(**altered(inputs, lambda pixels, strip=strip: pixels[:, :, strip])).pixels
        torch.testing.assert_close(part, whole[:, :, strip], atol=1e-6, rtol=1e-5)
    column = built.point(**altered(inputs, lambda pixels: pixels[:, :, :, 7:8])).pixels
    torch.testing.assert_close(column, whole[:, :, :, 7:8], atol=1e-6, rtol=1e-5)
    half = built.point(**altered(inputs, torch.Tensor.half)).pixels
    assert half.dtype == torch.float16
    torch.testing.assert_close(half.float(), whole, atol=8e-3, rtol=8e-3)


@named(of(FrameNode))
def test_on_a_card_a_node_makes_the_same_picture(
    node: type[Node],
    soft_picture: Callable[..., torch.Tensor],
    acting: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What torch computes where no other library can, asked on the processor."""
    built = node.model_validate(acting(node))
    assert isinstance(built, FrameNode)
    inputs = given(built, soft_picture)
    expected = built.render(FrameRequest(1002), **inputs).pixels
    for module in (channels, hsv, resample):
        monkeypatch.setattr(module, "on_card", lambda pixels: True)
    result = built.render(FrameRequest(1002), **inputs).pixels
    difference = (result - expected).abs()
    assert result.is_contiguous(memory_format=torch.channels_last)
    assert difference.mean() < 2e-4
    assert difference.flatten().quantile(0.98) < 1e-3, "but for hard edges"


@named([node for node in of(PointNode) if node.category == "color"])
def test_colour_nodes_keep_coverage(
    node: type[Node], soft_picture: Callable[..., torch.Tensor], acting: Callable[..., Any]
) -> None:
    """Alpha stays, and but for a change of space there is no light where there was none and no coverage."""
    built = node.model_validate(acting(node))
    assert isinstance(built, PointNode)
    pixels = soft_picture(alpha=True)
    pixels[:, :, :8] = 0
    pixels[:, :3, 8:12] = 0.5
    pixels[:, 3, 8:12] = 0
    result = built.point(video=ImageBuffer(pixels)).pixels
    assert torch.equal(result[:, 3], pixels[:, 3])
    assert (result[:, :3, 8:12] > 0).any(dim=1).all(), "light without coverage is gone"
    if node.type_name() != "ColorSpace":
        assert (result[:, :, :8] == 0).all()


@named(of(FrameNode))
@pytest.mark.parametrize("scale", [0.5, 0.25])
def test_a_preview_looks_like_the_whole_made_smaller(
    node: type[Node], scale: float, graph: Callable[..., Any], plate: tuple, acting: Callable[..., Any]
) -> None:
    built = graph_of(graph, plate, node, acting(node))
    whole, preview = (built.frame("node", 1002, at).pixels for at in (1.0, scale))
    shrunk = torch.nn.functional.interpolate(whole, size=preview.shape[2:], mode="area")
    difference = (shrunk - preview).abs()
    assert difference.mean() < 0.012
    assert difference.flatten().quantile(0.95) < 0.05


@named(of(FrameNode))
def test_a_region_is_the_same_part_of_the_whole(
    node: type[Node], graph: Callable[..., Any], plate: tuple, acting: Callable[..., Any]
) -> None:
    built = graph_of(graph, plate, node, acting(node))
    whole = built.frame("node", 1002)
    for region in (Region(20, 10, 30, 24), Region(0, 0, 16, 8), Region(whole.size[0] - 9, whole.size[1] - 7, 9, 7)):
        part = built.frame("node", 1002, region=region)
        expected = whole.pixels[:, :, region.y : region.y + region.height, region.x : region.x + region.width]
        torch.testing.assert_close(part.pixels, expected, atol=1e-6, rtol=1e-5)


@named([node for node in of(SourceNode) + of(SinkNode) if "path" in node.model_fields])
def test_without_a_file_a_node_is_refused_before_work(node: type[Node], tmp_path: Path) -> None:
    from artifexpro.core.graph.node import Preflight

    wired = Preflight(frozenset(socket.name for socket in node.inputs), tmp_path)
    with pytest.raises(ArtifexError) as refusal:
        node(path="").preflight(wired)
    assert str(refusal.value).startswith("Attempted to ")
    assert node(path="").fingerprint(wired) == ""

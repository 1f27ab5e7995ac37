"""The library is found by itself, loads no pixel library, and every node keeps the rules for nodes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import torch
from pydantic import ValidationError

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.node import FrameNode, Node, SinkNode, SourceNode
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, Region, SocketType
from artifexpro.core.nodes import library
from artifexpro.core.nodes.catalogue import catalogue, entry

NODES = list(library())
HEAVY = ("torch", "cv2", "av", "OpenImageIO", "PyOpenColorIO", "numpy", "opentimelineio", "diffusers", "transformers")
NAMES = {
    "MediaInput", "SequenceInput", "TI2VGenerator", "T2VGenerator", "ColorSpace", "Merge", "Transform2D", "Blur",
    "FileOutput", "TimelineOutput", "ContactSheet",
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
    elif kind is float:
        yield 0.5 if info.default != 0.5 else 0.75
    else:
        yield 3 if info.default != 3 else 2


@named(NODES)
def test_every_parameter_is_in_the_key(node: type[Node]) -> None:
    """A node's key is made of its parameters as JSON: no value of any may get lost there."""
    plain = json.dumps(node().model_dump(mode="json"), sort_keys=True)
    for name in node.model_fields:
        for value in changed(node, name):
            assert json.dumps(node(**{name: value}).model_dump(mode="json"), sort_keys=True) != plain


ACTING: dict[str, dict[str, Any]] = {
    "ColorSpace": {"to": "ACEScct"},
    "Merge": {"mode": "over", "mix": 1.0},
    "Transform2D": {"x": 3.0, "y": 2.0, "rotate": 10.0, "scale": 0.9, "filter": "bicubic"},
    "Blur": {"size": 3.0},
    "ContactSheet": {"columns": 2, "count": 4, "width": 96},
    "FrameHold": {"frame": 1002},
}
"""Parameters with which every one of a frame node's parameters has something to do."""


@named(of(FrameNode))
def test_every_parameter_of_a_frame_node_acts(node: type[Node], graph: Callable[..., Any], plate: tuple) -> None:
    acting = ACTING[node.type_name()]
    assert set(acting) == set(node.model_fields), "a new parameter needs a value here, with which it acts"
    before = picture(graph, plate, node, acting)
    for name in node.model_fields:
        for value in changed(node, name) if name != "frame" else (1004,):
            after = picture(graph, plate, node, {**acting, name: value})
            same = after.size == before.size and torch.equal(after.pixels, before.pixels)
            assert not same, f"{name} = {value!r} changes nothing"


def picture(
    graph: Callable[..., Any], plate: tuple, node: type[Node], params: dict[str, Any], **request: Any
) -> ImageBuffer:
    inputs = {socket.name: "plate" if socket.name != "b" else "under" for socket in node.inputs}
    nodes = {"plate": plate, "under": ("Transform2D", {"rotate": 180.0}, {"video": "plate"})}
    return graph(**nodes, node=(node.type_name(), params, inputs)).frame("node", 1002, **request)


@named(of(FrameNode))
def test_inputs_are_never_changed_and_results_are_equal(
    node: type[Node], soft_picture: Callable[..., torch.Tensor]
) -> None:
    built = node.model_validate(ACTING[node.type_name()])
    inputs = {socket.name: ImageBuffer(soft_picture(phase=at, alpha=True)) for at, socket in enumerate(node.inputs)}
    before = {name: buffer.pixels.clone() for name, buffer in inputs.items()}
    first = built.render(FrameRequest(1002), **inputs)
    second = built.render(FrameRequest(1002), **inputs)
    assert torch.equal(first.pixels, second.pixels)
    assert first.pixels.is_contiguous(memory_format=torch.channels_last)
    for name, buffer in inputs.items():
        assert torch.equal(buffer.pixels, before[name])


@named(of(FrameNode))
@pytest.mark.parametrize("scale", [0.5, 0.25])
def test_a_preview_looks_like_the_whole_made_smaller(
    node: type[Node], scale: float, graph: Callable[..., Any], plate: tuple
) -> None:
    params = ACTING[node.type_name()]
    whole, preview = (picture(graph, plate, node, params, scale=at).pixels for at in (1.0, scale))
    shrunk = torch.nn.functional.interpolate(whole, size=preview.shape[2:], mode="area")
    difference = (shrunk - preview).abs()
    assert difference.mean() < 0.012
    assert difference.flatten().quantile(0.95) < 0.05


@named(of(FrameNode))
def test_a_region_is_the_same_part_of_the_whole(node: type[Node], graph: Callable[..., Any], plate: tuple) -> None:
    params = ACTING[node.type_name()]
    whole = picture(graph, plate, node, params)
    for region in (Region(20, 10, 30, 24), Region(0, 0, 16, 8), Region(whole.size[0] - 9, whole.size[1] - 7, 9, 7)):
        part = picture(graph, plate, node, params, region=region)
        expected = whole.pixels[:, :, region.y : region.y + region.height, region.x : region.x + region.width]
        torch.testing.assert_close(part.pixels, expected, atol=1e-6, rtol=1e-5)


@named(of(SourceNode) + of(SinkNode))
def test_without_a_file_a_node_is_refused_before_work(node: type[Node], tmp_path: Path) -> None:
    from artifexpro.core.graph.node import Preflight

    wired = Preflight(frozenset(socket.name for socket in node.inputs), tmp_path)
    with pytest.raises(ArtifexError) as refusal:
        node(path="").preflight(wired)
    assert str(refusal.value).startswith("Attempted to ")
    assert node(path="").fingerprint(wired) == ""

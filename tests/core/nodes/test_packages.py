"""Nodes of other packages: found by entry point, named after their package, and contained when they fail."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.document import FORMAT, Document
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.values import FrameRequest
from artifexpro.core.nodes import built_in
from artifexpro.core.nodes.packages import GROUP, add_installed

HEAD = """
from artifexpro.core.graph.kinds import PointNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import ImageBuffer, SocketType
"""
DOUBLE = """
class Double(PointNode):
    '''Twice the light.'''

    category = "color"
    inputs = (Socket("video", SocketType.VIDEO),)

    def point(self, video: ImageBuffer) -> ImageBuffer:
        return video.with_pixels(video.pixels * 2)
"""
BREAKS = DOUBLE.replace("Double", "Breaks").replace(
    "return video", "raise OSError('the lens is dirty')\n        return video"
)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes a module and gives the entry point that a package with it would have."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def make(name: str, source: str) -> EntryPoint:
        (tmp_path / f"nodes_of_{name}.py").write_text(source, encoding="utf-8")
        made.append(f"nodes_of_{name}")
        return EntryPoint(name, f"nodes_of_{name}", GROUP)

    yield make
    for module in made:
        sys.modules.pop(module, None)


def solid_through(kind: str) -> Document:
    nodes = {
        "solid": {"type": "Solid", "version": 1, "params": {"red": 0.25, "width": 8, "height": 8}},
        "theirs": {"type": kind, "version": 1, "inputs": {"video": ["solid", "out"]}},
        "ours": {"type": "Blur", "version": 1, "params": {"size": 1.0}, "inputs": {"video": ["solid", "out"]}},
    }
    return Document.parse({"format": FORMAT, "version": 1, "nodes": nodes})


def test_a_node_is_called_after_its_package_and_runs(package, context):
    registry = built_in()
    add_installed(registry, [package("acme", HEAD + DOUBLE)])
    assert registry.missing == {}
    graph = Evaluator(compile_graph(solid_through("acme.Double"), registry, context.models), context)
    pixels = graph.frame(graph.plan.at("theirs"), FrameRequest(1)).pixels
    assert float(pixels[0, 0].mean()) == pytest.approx(0.5)


def test_two_packages_may_have_nodes_of_one_name(package):
    registry = built_in()
    add_installed(registry, [package("acme", HEAD + DOUBLE), package("other", HEAD + DOUBLE)])
    assert {node.type_name() for node in registry} >= {"acme.Double", "other.Double"}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import a_library_that_nobody_has", "a_library_that_nobody_has"),
        ("raise SystemExit('bye')", "bye"),
        ("1 / 0", "division by zero"),
        ("x = 1", "declares no nodes"),
        (HEAD + DOUBLE.replace("'''Twice the light.'''", ""), "no docstring"),
        ("def (", "invalid syntax"),
    ],
)
def test_a_package_that_cannot_be_loaded_leaves_all_others(package, context, source, said):
    registry = built_in()
    count = len(registry)
    add_installed(registry, [package("bad", source), package("good", HEAD + DOUBLE)])
    assert len(registry) == count + 1
    assert said in registry.missing["bad"]
    with pytest.raises(GraphError, match='the package "bad" could not be loaded'):
        compile_graph(solid_through("bad.Double"), registry, context.models)


def test_a_node_that_raises_is_an_error_at_that_node_and_others_go_on(package, context):
    registry = built_in()
    add_installed(registry, [package("acme", HEAD + BREAKS)])
    graph = Evaluator(compile_graph(solid_through("acme.Breaks"), registry, context.models), context)
    with pytest.raises(NodeError, match="the lens is dirty") as caught:
        graph.frame(graph.plan.at("theirs"), FrameRequest(1))
    assert caught.value.node == "theirs"
    graph.frame(graph.plan.at("ours"), FrameRequest(1))


def test_installed_packages_are_asked(package, monkeypatch):
    entry = package("acme", HEAD + DOUBLE)
    monkeypatch.setattr("artifexpro.core.nodes.packages.entry_points", lambda group: [entry] if group == GROUP else [])
    registry = built_in()
    add_installed(registry)
    assert registry.get("acme.Double") is not None

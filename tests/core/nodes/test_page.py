"""docs/nodes.md: the node it shows is run as a package would bring it, and keeps the rules it states."""

from __future__ import annotations

import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

from artifexpro.core.graph import kinds
from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.document import FORMAT, Document
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.values import FrameRequest
from artifexpro.core.nodes import built_in
from artifexpro.core.nodes.packages import GROUP, add_installed

PAGE = (Path(__file__).parents[3] / "docs" / "nodes.md").read_text(encoding="utf-8")


@pytest.fixture
def registry(tmp_path, monkeypatch):
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "acme_looks.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = built_in()
    add_installed(registry, [EntryPoint("acme", "acme_looks", GROUP)])
    yield registry
    sys.modules.pop("acme_looks")


def test_the_node_has_at_most_ten_lines():
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    body = source[source.index("class ") :].splitlines()
    assert len([line for line in body if line.strip()]) <= 10


def test_the_node_runs_and_moves_by_a_curve(registry, context):
    curve = {"curve": {"keys": [{"frame": 1, "value": 1.0, "ease": "constant"}, {"frame": 2, "value": 0.5}]}}
    nodes = {
        "solid": {"type": "Solid", "version": 1, "params": {"red": 0.75, "alpha": 1.0, "width": 4, "height": 2}},
        "look": {"type": "acme.Solarize", "version": 1, "params": {"threshold": curve}, "inputs": {"video": ["solid"]}},
    }
    document = Document.parse({"format": FORMAT, "version": 1, "nodes": nodes})
    graph = Evaluator(compile_graph(document, registry, context.models), context)
    pictures = [graph.frame(graph.plan.at("look"), FrameRequest(frame)).pixels for frame in (1, 2)]
    assert [round(float(each[0, 0].mean()), 6) for each in pictures] == [0.75, 0.25]
    assert all(torch.equal(each[:, 3], torch.ones(1, 2, 4)) for each in pictures)


def test_every_kind_is_in_the_table_and_no_other():
    named = set(re.findall(r"\| `(\w+Node)` \|", PAGE))
    there = {name for name, found in vars(kinds).items() if isinstance(found, type) and name.endswith("Node")}
    assert named == there - {"Node"}

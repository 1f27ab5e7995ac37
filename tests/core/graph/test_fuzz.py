"""Damaged, hostile and nonsensical files are opened or refused in words, never anything else.

What is opened can be saved, and opens again as the same; what is in it can be compiled, or is refused node by node.
"""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.collapse import expand
from artifexpro.core.graph.compare import diff
from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.definition import GroupFile
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.errors import DocumentError, GraphError, NodeError
from artifexpro.core.graph.groups import flatten
from artifexpro.core.graph.operations import apply
from artifexpro.core.nodes import library

OLD = Path(__file__).with_name("old")
FILES = sorted(path for path in OLD.glob("*.json") if path.name != "manifest.json")
GRAPHS = [path for path in FILES if "group-file" not in path.name]


def tried(text: str | bytes, models: Path) -> Document | None:
    """Opens, saves, opens again and compiles a text; None where it is refused."""
    try:
        document = Document.loads(text)
    except DocumentError as error:
        whole(error)
        return None
    assert Document.loads(document.dumps()) == document
    assert diff(document, apply(Document(), diff(Document(), document))) == []
    for problem in flatten(document).problems:
        whole(problem)
    try:
        plan = compile_graph(document, library(), models, strict=False)
    except GraphError as error:
        pytest.fail(f"not strict, and yet: {error}")
    for problem in plan.problems:
        whole(problem)
    for name in document.nodes:
        try:
            expand(document, name)
        except NodeError as error:
            whole(error)
    return document


def whole(error: ArtifexError) -> None:
    """An error says what, why and what now, in text that can be shown."""
    assert all((error.attempted, error.because, error.remedy))
    assert len(str(error).encode()) < 20_000


def test_there_are_files_to_damage():
    assert len(FILES) >= 6


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_cut_at_any_byte_is_refused(path: Path):
    reader: Callable[[bytes], object] = Document.loads if path in GRAPHS else GroupFile.loads
    data = path.read_bytes().rstrip()
    for length in range(len(data)):
        with pytest.raises(DocumentError) as caught:
            reader(data[:length])
        whole(caught.value)
    reader(data)


def flipped(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, dropped, doubled or moved."""
    damaged = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        at = chance.randrange(len(damaged))
        match chance.randrange(4):
            case 0:
                damaged[at] ^= 1 << chance.randrange(8)
            case 1:
                damaged[at] = chance.randrange(256)
            case 2:
                del damaged[at : at + chance.choice([1, 1, 9])]
            case _:
                damaged[at:at] = damaged[at : at + chance.randrange(1, 60)]
    return bytes(damaged)


ODD_TEXTS = ("", "\x00", "a/b", "group:", "group:Glow", "Glow@1", "\U0001f3a5", "ä" * 300, "__class__", "out")
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 10**18, 10**400, 1e308, -0.0, 5e-324, float("nan"), float("inf")),
    *ODD_TEXTS,
    *(
        [],
        [None],
        [[]],
        ["a", "b", "c"],
        {},
        {"": {}},
        {"curve": {}},
        {"curve": {"keys": [{"frame": 1, "value": 1e308}]}},
    ),
    "\ud800",
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every table or list in `value` with each of its keys."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, (dict, list)):
            for key in list(here) if isinstance(here, dict) else range(len(here)):
                yield here, key
                waiting.append(here[key])


def bent(data: Any, chance: random.Random) -> Any:
    """Parsed JSON with a few values replaced by odd ones, names changed, entries dropped or copied elsewhere."""
    for _ in range(chance.choice([1, 1, 2, 4])):
        found = list(places(data))
        if not found:
            break
        table, key = chance.choice(found)
        other, elsewhere = chance.choice(found)
        match chance.randrange(5):
            case 0 | 1:
                table[key] = json.loads(json.dumps(chance.choice(ODD)))
            case 2:
                table[key] = json.loads(json.dumps(other[elsewhere]))
            case 3 if isinstance(table, dict):
                table[chance.choice(ODD_TEXTS)] = table.pop(key)
            case _:
                del table[key]
    return data


def rounds(count: int, models: Path, seed: int) -> int:
    """Damages each file `count` times in both ways; says how many were still opened."""
    chance = random.Random(seed)
    opened = 0
    for path in GRAPHS:
        data = path.read_bytes()
        for _ in range(count):
            opened += tried(flipped(data, chance), models) is not None
            opened += tried(json.dumps(bent(json.loads(data), chance)), models) is not None
    return opened


def test_damaged_files_are_opened_or_refused(tmp_path: Path):
    assert rounds(200, tmp_path, seed=3) > 200


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(20))
def test_many_more_damaged_files(tmp_path: Path, seed: int):
    assert rounds(2_000, tmp_path, seed=1000 + seed) > 2_000


def test_damaged_groups_are_opened_or_refused():
    chance = random.Random(5)
    for path in set(FILES) - set(GRAPHS):
        data = path.read_bytes()
        for _ in range(150):
            for text in (flipped(data, chance), json.dumps(bent(json.loads(data), chance)).encode()):
                try:
                    file = GroupFile.loads(text)
                except DocumentError as error:
                    whole(error)
                else:
                    assert GroupFile.loads(file.dumps()) == file


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NODES = st.dictionaries(
    st.text(max_size=3),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["Blur", "Merge", "MediaInput", "group:Glow", "Unknown"])},
        optional={
            "version": st.integers(0, 3) | JSON,
            "params": st.dictionaries(st.sampled_from(["size", "mix", "path", "mode"]), JSON, max_size=2) | JSON,
            "inputs": st.dictionaries(
                st.sampled_from(["video", "a", "size"]), st.lists(st.text(max_size=2), max_size=3)
            )
            | JSON,
            "ui": JSON,
        },
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(JSON | NODES, st.sampled_from([1, 2]))
def test_any_json_is_opened_or_refused(tmp_path_factory: pytest.TempPathFactory, nodes: object, version: int):
    text = json.dumps({"format": "artifexpro.graph", "version": version, "nodes": nodes})
    tried(text, tmp_path_factory.getbasetemp())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_are_refused(data: str | bytes):
    with pytest.raises(DocumentError):
        Document.loads(data)


DEEP = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "[" * DEEP,
        '{"a":' * DEEP,
        "[" * DEEP + "]" * DEEP,
        '{"format":"artifexpro.graph","version":1,"nodes":' + "[" * 900 + "]" * 900 + "}",
        '{"format":"artifexpro.graph","version":1,"nodes":{"a":{"type":"B","params":{"p":'
        + "[" * 900
        + "]" * 900
        + "}}}}",
        '{"format":"artifexpro.graph","version":' + "9" * 4_000 + "}",
        '{"format":"artifexpro.graph","version":' + "9" * 5_000 + "}",
        '"' * DEEP,
        '{"format":"artifexpro.graph",' * DEEP,
    ],
    ids=["lists", "tables", "whole", "nodes", "param", "version", "digits", "quotes", "formats"],
)
def test_depth_and_size_are_refused_in_little_memory(text: str):
    tracemalloc.start()
    try:
        with pytest.raises(DocumentError) as caught:
            Document.loads(text)
        whole(caught.value)
        assert tracemalloc.get_traced_memory()[1] < 30 * 2**20
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 5_000

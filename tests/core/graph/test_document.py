from __future__ import annotations

import json

import pytest

from artifexpro.core.graph import records
from artifexpro.core.graph.document import Document, NodeRecord, Wire
from artifexpro.core.graph.errors import DocumentError
from artifexpro.core.graph.jsontext import LARGEST_TEXT

SAMPLE = Document(
    {
        "plate": NodeRecord("MediaInput", params={"path": "plate.mov"}, ui={"x": 10}),
        "soft": NodeRecord("Blur", 3, {"size": 4.0}, {"plate": Wire("plate", "out")}),
        "später": NodeRecord("FromAnotherPackage", 7, {"anything": [1, {"deep": None}]}, {"x": Wire("soft", "left")}),
    }
)


def test_a_saved_document_opens_equal():
    assert Document.loads(SAMPLE.dumps()) == SAMPLE


def test_an_unknown_node_keeps_its_data_and_wires():
    again = Document.loads(SAMPLE.dumps()).nodes["später"]
    assert again.params == {"anything": [1, {"deep": None}]}
    assert again.inputs == {"x": Wire("soft", "left")}


def test_an_edit_leaves_the_original_alone():
    edited = SAMPLE.with_params("soft", size=9.0)
    assert edited.nodes["soft"].params["size"] == 9.0
    assert SAMPLE.nodes["soft"].params["size"] == 4.0


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "JSON"),
        ("[]", "format"),
        ('{"format": "other"}', "format"),
        ('{"format": "artifexpro.graph", "version": true}', "version"),
        ('{"format": "artifexpro.graph", "version": 1, "nodes": []}', "table"),
        ('{"format": "artifexpro.graph", "version": 1, "nodes": {"a": 3}}', '"a"'),
        ('{"format": "artifexpro.graph", "version": 1, "nodes": {"": {"type": "Blur"}}}', "empty"),
        ('{"format": "artifexpro.graph", "version": 1, "nodes": {"a": {}}}', "no type"),
        ('{"format": "artifexpro.graph", "version": 1, "nodes": {"a": {"type": "B", "color": 1}}}', "color"),
        ('{"format": "artifexpro.graph", "version": 1, "nodes": {"a": {"type": "B", "inputs": {"p": 3}}}}', '"p"'),
        ('{"format": "artifexpro.graph", "version": 1, "nodes": {"a": {"type": "B"}, "a": {"type": "C"}}}', "twice"),
        ('{"format": "artifexpro.graph", "version": 1, "nodes": {}, "comment": ""}', '"comment".*format 1'),
        ('{"format": "artifexpro.graph", "version": 1, "groups": {}}', '"groups".*format 1'),
        ('{"format": "artifexpro.graph", "version": 2, "nodes": {"a/b": {"type": "B"}}}', "inside a group"),
        ('{"format": "artifexpro.graph", "version": 2, "groups": []}', "table"),
        ('{"format": "artifexpro.graph", "version": 2, "groups": {"G@1": {"name": "G", "version": 2}}}', "kept as"),
        ('{"format": "artifexpro.graph", "version": 2, "groups": {"G@1": {"name": "G", "version": 1, "x": 1}}}', '"x"'),
        ("[" * 100_000, "too deep"),
    ],
)
def test_what_is_no_graph_is_refused_in_words(text: str, word: str):
    with pytest.raises(DocumentError, match=word):
        Document.loads(text)


def test_a_newer_format_names_both_versions():
    with pytest.raises(DocumentError, match=r"format 9.*up to 2"):
        Document.parse({"format": "artifexpro.graph", "version": 9, "nodes": {}})


def test_every_truncation_is_refused():
    text = SAMPLE.dumps().rstrip()
    for length in range(len(text)):
        with pytest.raises(DocumentError):
            Document.loads(text[:length])


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("NaN", "NaN is not a number"),
        ("-Infinity", "-Infinity is not a number"),
        ("1e999", "too large"),
        ("1" + "0" * 400, "too large"),
        ("1" * 5_000, "thousands of digits"),
        ('"\\ud800"', "half of a character"),
        ('{"\\udc00": 1}', "half of a character"),
        (json.dumps(nested(120)), "deep inside one another"),
    ],
)
@pytest.mark.parametrize("field", ["params", "ui"])
def test_what_could_not_be_saved_again_is_refused(value: str, word: str, field: str):
    node = f'{{"type": "Blur", "{field}": {{"size": {value}}}}}'
    with pytest.raises(DocumentError, match=word):
        Document.loads(f'{{"format": "artifexpro.graph", "version": 1, "nodes": {{"soft": {node}}}}}')


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (float("nan"), "nan"),
        ({1, 2}, "none of a number"),
        ({3: 4}, "not text"),
        (nested(120), "deep"),
        ("\ud800", "half"),
    ],
)
def test_what_cannot_be_saved_is_refused_when_it_is(value: object, word: str):
    with pytest.raises(DocumentError, match=f'save the graph.*{word}.*node "soft"'):
        SAMPLE.with_params("soft", size=value).dumps()


def test_a_text_of_any_unicode_encoding_is_read():
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert Document.loads(SAMPLE.dumps().encode(encoding)) == SAMPLE
    with pytest.raises(DocumentError, match="not text from byte"):
        Document.loads(SAMPLE.dumps().encode("latin-1"))


def test_a_node_is_a_line_of_the_file():
    lines = SAMPLE.dumps().splitlines()
    assert [line for line in lines if '"soft": {"type": "Blur", "version": 3, "params": {"size": 4.0}' in line]
    moved = SAMPLE.with_params("soft", size=5.0).dumps().splitlines()
    assert sum(one != other for one, other in zip(lines, moved, strict=True)) == 1


def test_a_text_too_long_is_refused_unread(monkeypatch):
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("was parsed"))
    with pytest.raises(DocumentError, match="67,108,864 is the most"):
        Document.loads(" " * (LARGEST_TEXT + 1))


def test_too_many_nodes_are_refused(monkeypatch):
    monkeypatch.setattr(records, "MOST_NODES", 3)
    four = {name: {"type": "B"} for name in "abcd"}
    with pytest.raises(DocumentError, match="4 nodes and 3 is the most"):
        Document.parse({"format": "artifexpro.graph", "version": 1, "nodes": four})


def test_a_million_wires_are_read():
    """As few bytes as they take: what is larger is refused by its size."""
    wires = ",".join(f'"{at}":["a"]' for at in range(1_000_000))
    nodes = f'"a":{{"type":"B"}},"b":{{"type":"B","inputs":{{{wires}}}}}'
    text = f'{{"format":"artifexpro.graph","version":1,"nodes":{{{nodes}}}}}'
    assert len(Document.loads(text).nodes["b"].inputs) == 1_000_000

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifexpro.core.graph.document import Document, NodeRecord, Wire
from artifexpro.core.graph.errors import DocumentError

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
        ("[" * 100_000, "JSON"),
    ],
)
def test_what_is_no_graph_is_refused_in_words(text: str, word: str):
    with pytest.raises(DocumentError, match=word):
        Document.loads(text)


def test_a_newer_format_names_both_versions():
    with pytest.raises(DocumentError, match=r"format 9.*up to 1"):
        Document.parse({"format": "artifexpro.graph", "version": 9, "nodes": {}})


def test_every_truncation_is_refused():
    text = SAMPLE.dumps().rstrip()
    for length in range(len(text)):
        with pytest.raises(DocumentError):
            Document.loads(text[:length])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.fixed_dictionaries({"format": st.just("artifexpro.graph"), "version": st.just(1), "nodes": JSON}))
def test_any_json_is_read_or_refused_never_a_crash(data: object):
    try:
        document = Document.loads(json.dumps(data))
    except DocumentError:
        return
    assert Document.loads(document.dumps()) == document

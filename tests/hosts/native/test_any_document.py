"""Any document at all comes back as it was: what hypothesis makes up, through both hosts' texts."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artifexpro.core.graph.document import Document
from artifexpro.core.nodes import library
from artifexpro.core.nodes.catalogue import catalogue as entries
from artifexpro.hosts.nuke import gizmos
from artifexpro.hosts.resolve import macros
from tests.hosts.native.documents import graph

CATALOGUE = entries(library())
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
NUMBERS = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, NAMES, st.lists(st.integers(), max_size=2))
KEYS = st.fixed_dictionaries(
    {"frame": st.integers(0, 50), "value": st.floats(-1e9, 1e9)},
    optional={
        "ease": st.sampled_from(["constant", "linear", "bezier", "back_in_out", "nosuch"]),
        "left": st.tuples(st.floats(-9, 0), st.floats(-9, 9)).map(list),
        "right": st.tuples(st.floats(0, 9), st.floats(-9, 9)).map(list),
    },
)
CURVES = st.fixed_dictionaries(
    {"keys": st.lists(KEYS, max_size=4)}, optional={"after": st.sampled_from(["hold", "cycle"])}
).map(lambda curve: {"curve": curve})


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    idents = draw(st.lists(NAMES, max_size=5, unique=True))
    nodes: dict[str, Any] = {}
    for ident in idents:
        entry = draw(st.sampled_from(CATALOGUE))
        sockets = [*(socket["name"] for socket in entry["inputs"]), *(each["name"] for each in entry["parameters"])]
        params = [*(each["name"] for each in entry["parameters"]), "unheard"]
        wire = st.tuples(st.sampled_from([*nodes, "nowhere"]), st.sampled_from(["out", "other"])).map(list)
        found = {
            "params": draw(st.dictionaries(st.sampled_from(params), st.one_of(PLAIN, CURVES), max_size=4)),
            "inputs": draw(st.dictionaries(st.sampled_from([*sockets, "spare"]), wire, max_size=3)),
            "ui": draw(st.dictionaries(st.sampled_from(["x", "y", "label", "tint"]), PLAIN, max_size=3)),
        }
        kind = draw(st.sampled_from([entry["name"], entry["name"], entry["name"], "Sparkle"]))
        told = {"type": kind, "version": draw(st.sampled_from([entry["version"], entry["version"], 9]))}
        nodes[ident] = {**told, **{name: table for name, table in found.items() if table}}
    return graph(nodes)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_any_document_comes_back_as_it_was(document: dict[str, Any]) -> None:
    Document.parse(document)
    assert gizmos.document(gizmos.script(document, CATALOGUE)) == document
    assert macros.document(macros.setting(document, CATALOGUE)) == document

"""What differs, played back, is what there was; joining two people's work loses nothing unsaid."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifexpro.core.graph.compare import ABSENT, Conflict, diff, merge, same
from artifexpro.core.graph.definition import Group, GroupOutput
from artifexpro.core.graph.document import Document, NodeRecord, Wire
from artifexpro.core.graph.errors import DocumentError, NodeError
from artifexpro.core.graph.operations import (
    AddNode,
    Connect,
    Disconnect,
    RemoveGroup,
    RemoveNode,
    SetGroup,
    SetParam,
    SetType,
    SetUi,
    UnsetParam,
    UnsetUi,
    apply,
    operation,
)


def group(version: int = 1, amount: float = 1.0) -> Group:
    return Group(
        "Look",
        version,
        nodes={"add": NodeRecord("Add", params={"amount": amount})},
        outputs={"out": GroupOutput("VIDEO", Wire("add"))},
    )


BASE = Document(
    {
        "plate": NodeRecord("Ramp", params={"length": 5}),
        "soft": NodeRecord("Add", params={"amount": 1.0, "mode": "plus"}, inputs={"plate": Wire("plate")}, ui={"x": 1}),
        "end": NodeRecord("Keep", inputs={"video": Wire("soft")}),
    },
    {"Look@1": group()},
)


def edited(document: Document = BASE, **nodes) -> Document:
    """`document` with nodes replaced, or removed where they are None."""
    merged = {**document.nodes, **nodes}
    return Document({name: record for name, record in merged.items() if record is not None}, document.groups)


def changed(name: str, **fields) -> dict[str, NodeRecord]:
    return {name: replace(BASE.nodes[name], **fields)}


IDS = st.sampled_from(["a", "b", "c", "d", "ä/b"])
VALUES = st.sampled_from([0, 1, True, 1.0, 0.0, -0.0, None, "x", [1], [1.0], {"curve": {"keys": [1]}}, {"curve": {}}])
TABLES = st.dictionaries(st.sampled_from(["p", "q", "r"]), VALUES, max_size=3)
RECORDS = st.builds(
    NodeRecord,
    st.sampled_from(["Add", "Sum", "group:Look"]),
    st.integers(1, 2),
    TABLES,
    st.dictionaries(st.sampled_from(["p", "a"]), st.builds(Wire, IDS, st.sampled_from(["out", "matte"])), max_size=2),
    TABLES,
)
GROUPS = st.lists(st.builds(group, st.integers(1, 2), st.sampled_from([1.0, 2.0])), max_size=2).map(
    lambda drawn: {each.key: each for each in drawn}
)
DOCUMENTS = st.builds(Document, st.dictionaries(IDS, RECORDS, max_size=5), GROUPS)


def text(document: Document) -> str:
    """Exactly what a document says, the order of its nodes apart."""
    return json.dumps(document.to_json(), sort_keys=True)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_what_differs_played_back_is_the_other_document(one: Document, other: Document):
    operations = diff(one, other)
    assert text(apply(one, operations)) == text(other)
    sent = [operation(json.loads(json.dumps(each.to_json()))) for each in operations]
    assert text(apply(one, sent)) == text(other)
    assert bool(operations) == (text(one) != text(other))


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, st.randoms())
def test_the_order_of_nodes_does_not_matter(document: Document, chance):
    names = list(document.nodes)
    chance.shuffle(names)
    shuffled = Document({name: document.nodes[name] for name in names}, document.groups)
    assert diff(document, shuffled) == []
    assert merge(document, shuffled, document)[1] == []


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_who_changed_nothing_changes_nothing(base: Document, changed: Document):
    for merged, conflicts in (merge(base, changed, base), merge(base, base, changed), merge(base, changed, changed)):
        assert text(merged) == text(changed)
        assert conflicts == []


def values(document: Document) -> set[tuple[str, str, str]]:
    """Everything a document says: node, field, value."""
    found = {("", f"groups.{key}", json.dumps(group.to_json())) for key, group in document.groups.items()}
    for name, record in document.nodes.items():
        found.add((name, "node", f"{record.type} {record.version}"))
        for title in ("params", "inputs", "ui"):
            found |= {(name, f"{title}.{each}", json.dumps(value)) for each, value in getattr(record, title).items()}
    return found


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_nothing_is_lost_unsaid(base: Document, mine: Document, theirs: Document):
    """Whatever one of them added is in the result, or in a conflict that says so; sides can be exchanged."""
    merged, conflicts = merge(base, mine, theirs)
    told = {(conflict.node, conflict.field) for conflict in conflicts}
    for side in (mine, theirs):
        for node, field, value in values(side) - values(base):
            assert (node, field, value) in values(merged) or {(node, field), (node, "node")} & told
    _, other = merge(base, theirs, mine)
    assert {(each.node, each.field) for each in other} == told
    for conflict in conflicts:
        assert json.dumps(conflict.to_json())
        assert not same(conflict.mine, conflict.theirs)


def test_operations_are_named_and_small():
    other = edited(
        soft=NodeRecord("Sum", 2, {"amount": 2.0}, {"a": Wire("plate", "matte")}, {"y": 2}),
        plate=BASE.nodes["plate"],
        end=None,
        new=NodeRecord("Keep"),
    )
    operations = diff(BASE, Document(other.nodes, {"Look@2": group(2)}))
    assert operations == [
        SetGroup(group(2)),
        RemoveNode("end"),
        SetType("soft", "Sum", 2),
        UnsetParam("soft", "mode"),
        SetParam("soft", "amount", 2.0),
        Disconnect("soft", "plate"),
        Connect("soft", "a", Wire("plate", "matte")),
        UnsetUi("soft", "x"),
        SetUi("soft", "y", 2),
        AddNode("new", NodeRecord("Keep")),
        RemoveGroup("Look@1"),
    ]
    assert [each.to_json() for each in operations][1:4] == [
        {"op": "node.remove", "node": "end"},
        {"op": "node.type", "node": "soft", "type": "Sum", "version": 2},
        {"op": "param.unset", "node": "soft", "name": "mode"},
    ]


@pytest.mark.parametrize(
    "unfit",
    [
        AddNode("soft", NodeRecord("Add")),
        RemoveNode("gone"),
        SetParam("gone", "amount", 1.0),
        UnsetParam("soft", "gone"),
        Disconnect("soft", "gone"),
        UnsetUi("soft", "gone"),
        RemoveGroup("Gone@1"),
    ],
)
def test_an_operation_that_does_not_fit_changes_nothing(unfit):
    before = text(BASE)
    with pytest.raises((NodeError, DocumentError), match="Try "):
        apply(BASE, [SetParam("soft", "amount", 9.0), unfit])
    assert text(BASE) == before


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        {"op": "node.explode", "node": "a"},
        {"op": "node.remove"},
        {"op": "node.remove", "node": ""},
        {"op": "node.remove", "node": "a", "record": {}},
        {"op": "node.add", "node": "a", "record": {"type": ""}},
        {"op": "node.type", "node": "a", "type": "Add", "version": 0},
        {"op": "wire.connect", "node": "a", "socket": "p", "wire": "b"},
        {"op": "param.set", "node": "a", "name": 3, "value": 1},
        {"op": "param.set", "node": "a", "name": "p", "value": float("nan")},
        {"op": "group.set", "group": {"name": "x"}},
    ],
)
def test_what_is_no_operation_is_refused(raw):
    with pytest.raises(DocumentError, match="follow a change of the graph"):
        operation(raw)


def test_edits_of_different_things_are_joined():
    mine = edited(**changed("soft", params={"amount": 2.0, "mode": "plus"}, ui={"x": 50}), new=NodeRecord("Ramp"))
    theirs = edited(**changed("soft", params={"amount": 1.0}, inputs={"plate": Wire("plate", "matte")}))
    merged, conflicts = merge(BASE, mine, theirs)
    assert conflicts == []
    assert merged.nodes["soft"] == NodeRecord(
        "Add", params={"amount": 2.0}, inputs={"plate": Wire("plate", "matte")}, ui={"x": 50}
    )
    assert "new" in merged.nodes


def test_one_parameter_set_twice_is_a_conflict_with_both_values():
    mine = edited(**changed("soft", params={"amount": 2.0, "mode": "plus"}))
    theirs = edited(**changed("soft", params={"amount": 3.0, "mode": "plus"}))
    merged, conflicts = merge(BASE, mine, theirs)
    assert conflicts == [Conflict("soft", "params.amount", 1.0, 2.0, 3.0)]
    assert merged.nodes["soft"].params["amount"] == 2.0
    assert conflicts[0].to_json() == {"node": "soft", "field": "params.amount", "base": 1.0, "mine": 2.0, "theirs": 3.0}


@pytest.mark.parametrize("swap", [False, True])
def test_what_one_removed_and_the_other_changed_stays(swap: bool):
    sides = [edited(soft=None), edited(**changed("soft", params={"amount": 3.0}))]
    merged, conflicts = merge(BASE, *(reversed(sides) if swap else sides))
    assert [(each.node, each.field) for each in conflicts] == [("soft", "node")]
    assert ABSENT in (conflicts[0].mine, conflicts[0].theirs)
    assert merged.nodes["soft"].params == {"amount": 3.0}


def test_a_wire_to_what_the_other_removed_is_a_conflict_of_that_input():
    mine = edited(soft=None, end=None)
    theirs = edited(new=NodeRecord("Keep", inputs={"video": Wire("soft")}))
    merged, conflicts = merge(BASE, mine, theirs)
    assert conflicts == [Conflict("new", "inputs.video", ABSENT, ABSENT, Wire("soft"))]
    assert merged.nodes["new"].inputs == {"video": Wire("soft")}


def test_another_type_and_an_edit_of_the_old_one_contradict_each_other():
    mine = edited(**changed("soft", type="Sum", params={}))
    theirs = edited(**changed("soft", params={"amount": 3.0}))
    merged, conflicts = merge(BASE, mine, theirs)
    assert [(each.node, each.field) for each in conflicts] == [("soft", "node")]
    assert merged.nodes["soft"].type == "Sum"


def test_moving_a_node_does_not_contradict_another_type():
    mine = edited(**changed("soft", type="Sum", params={}))
    theirs = edited(**changed("soft", ui={"x": 9}))
    merged, conflicts = merge(BASE, mine, theirs)
    assert conflicts == []
    assert merged.nodes["soft"] == NodeRecord("Sum", 1, {}, {"plate": Wire("plate")}, {"x": 9})


def test_a_group_changed_twice_is_a_conflict_and_one_still_used_stays():
    mine, theirs = (Document(BASE.nodes, {"Look@1": group(amount=amount)}) for amount in (2.0, 3.0))
    merged, conflicts = merge(BASE, mine, theirs)
    assert [(each.node, each.field) for each in conflicts] == [("", "groups.Look@1")]
    assert merged.groups == mine.groups
    using = Document({**BASE.nodes, "look": NodeRecord("group:Look")}, BASE.groups)
    merged, conflicts = merge(BASE, Document(BASE.nodes), using)
    assert (merged.groups, conflicts) == (BASE.groups, [])

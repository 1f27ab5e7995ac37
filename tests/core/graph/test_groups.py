"""Groups: opened they are the nodes inside, with what is connected and set on the outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph import groups
from artifexpro.core.graph.collapse import expand, extract, make_group
from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.definition import Group, GroupFile, GroupInput, GroupOutput, GroupParameter, Pin
from artifexpro.core.graph.document import GROUPS_VERSION, Document, NodeRecord, Wire
from artifexpro.core.graph.errors import DocumentError, NodeError
from artifexpro.core.graph.groups import flatten, reached
from artifexpro.core.graph.registry import Registry
from artifexpro.core.nodes.catalogue import entry, group_entry

CURVE = {"curve": {"keys": [{"frame": 1, "value": 0.0}, {"frame": 9, "value": 3.0}]}}


def twice(**own) -> Group:
    """Adds an amount to a plate, twice."""
    return Group(
        "Twice",
        nodes={
            "one": NodeRecord("Add", params={"amount": 5.0}),
            "two": NodeRecord("Add", params={"amount": 6.0}, inputs={"plate": Wire("one")}),
        },
        inputs={"plate": GroupInput("VIDEO", (Pin("one", "plate"),))},
        outputs={"out": GroupOutput("VIDEO", Wire("two"))},
        parameters={"amount": GroupParameter((Pin("one", "amount"), Pin("two", "amount")), own)},
    )


def mix() -> Group:
    """Two plates, one of which may be missing; the sum before and after adding 1."""
    return Group(
        "Mix",
        nodes={"sum": NodeRecord("Sum"), "more": NodeRecord("Add", inputs={"plate": Wire("sum")})},
        inputs={
            "first": GroupInput("VIDEO", (Pin("sum", "a"),)),
            "second": GroupInput("VIDEO", (Pin("sum", "b"),), optional=True),
        },
        outputs={"out": GroupOutput("VIDEO", Wire("more")), "sum": GroupOutput("VIDEO", Wire("sum"))},
    )


def carried(*carried: Group) -> dict[str, Group]:
    return {group.key: group for group in carried}


def document(nodes: Mapping[str, NodeRecord], *definitions: Group) -> Document:
    return Document({"ramp": NodeRecord("Ramp"), **nodes}, carried(*definitions))


def use(group: str, params=None, version: int = 1, **inputs: str) -> NodeRecord:
    return NodeRecord(f"group:{group}", version, params or {}, {name: Wire(end) for name, end in inputs.items()})


def level(number: int, wide: int = 1) -> Group:
    """A group of `wide` groups of the level below in a row; level 0 is of plain nodes."""
    kind = f"group:Level{number - 1}" if number else "Add"
    nodes = {f"n{at}": NodeRecord(kind, inputs={"plate": Wire(f"n{at - 1}")} if at else {}) for at in range(wide)}
    return Group(
        f"Level{number}",
        nodes=nodes,
        inputs={"plate": GroupInput("VIDEO", (Pin("n0", "plate"),))},
        outputs={"out": GroupOutput("VIDEO", Wire(f"n{wide - 1}"))},
        parameters={"amount": GroupParameter(tuple(Pin(name, "amount") for name in nodes))},
    )


def test_a_document_without_groups_is_its_own_nodes():
    plain = document({"add": NodeRecord("Add", inputs={"plate": Wire("ramp")})})
    assert flatten(plain).records is plain.nodes


def test_wires_lead_through_a_group():
    flat = flatten(
        document({"g": use("Twice", plate="ramp"), "end": NodeRecord("Keep", inputs={"video": Wire("g")})}, twice())
    )
    assert flat.problems == []
    assert {name: dict(record.inputs) for name, record in flat.records.items()} == {
        "ramp": {},
        "g/one": {"plate": Wire("ramp")},
        "g/two": {"plate": Wire("g/one")},
        "end": {"video": Wire("g/two")},
    }
    assert flat.shown == {"g": "g/two"}


def test_groups_feed_groups_by_any_output():
    flat = flatten(
        document(
            {
                "m": use("Mix", first="ramp", second="g"),
                "g": use("Twice", plate="ramp"),
                "end": NodeRecord("Keep", inputs={"video": Wire("m", "sum")}),
            },
            twice(),
            mix(),
        )
    )
    assert flat.problems == []
    assert flat.records["m/sum"].inputs == {"a": Wire("ramp"), "b": Wire("g/two")}
    assert flat.records["end"].inputs == {"video": Wire("m/sum")}


def test_what_is_not_connected_stays_so():
    flat = flatten(document({"m": use("Mix", first="ramp")}, mix()))
    assert flat.problems == [] and flat.records["m/sum"].inputs == {"a": Wire("ramp")}


@pytest.mark.parametrize("value", [2.5, CURVE])
def test_a_parameter_reaches_all_that_it_leads_to(value):
    flat = flatten(document({"g": use("Twice", {"amount": value}, plate="ramp")}, twice()))
    assert [flat.records[path].params for path in ("g/one", "g/two")] == [{"amount": value}] * 2


def test_a_control_reaches_what_a_parameter_leads_to():
    flat = flatten(document({"g": use("Twice", {"amount": 1.0}, plate="ramp", amount="lfo")}, twice()))
    assert flat.records["g/two"].inputs == {"plate": Wire("g/one"), "amount": Wire("lfo")}


def test_a_value_from_outside_replaces_a_control_inside():
    inner = Group(
        "Driven",
        nodes={"lfo": NodeRecord("Lfo"), "add": NodeRecord("Add", inputs={"amount": Wire("lfo")})},
        parameters={"amount": GroupParameter((Pin("add", "amount"),))},
    )
    assert flatten(document({"g": use("Driven")}, inner)).records["g/add"].inputs == {"amount": Wire("g/lfo")}
    given = flatten(document({"g": use("Driven", {"amount": 2.0})}, inner)).records["g/add"]
    assert (given.inputs, given.params) == ({}, {"amount": 2.0})


def test_what_is_not_given_is_as_inside_or_as_the_group_has_it():
    assert flatten(document({"g": use("Twice", plate="ramp")}, twice())).records["g/two"].params == {"amount": 6.0}
    own = flatten(document({"g": use("Twice", plate="ramp")}, twice(default=9.0)))
    assert own.records["g/one"].params == own.records["g/two"].params == {"amount": 9.0}


def test_two_of_one_group_do_not_share_what_they_are_given():
    flat = flatten(document({"g": use("Twice", {"amount": 1.0}, plate="ramp"), "h": use("Twice", plate="g")}, twice()))
    assert flat.records["g/one"].params == {"amount": 1.0}
    assert flat.records["h/one"].params == {"amount": 5.0} == twice().nodes["one"].params


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (use("Twice", {"amuont": 1.0}, plate="ramp"), 'no parameter "amuont".*one of: amount'),
        (use("Twice", plate="ramp", plane="ramp"), 'no input "plane".*one of: plate, amount'),
        (use("Twice"), 'nothing is connected to its input "plate".*VIDEO'),
        (use("Twice", version=3, plate="ramp"), "does not carry version 3 of the group Twice.*version 1"),
        (use("Thrice", plate="ramp"), "does not carry version 1 of the group Thrice.*bringing in"),
        (use("Twice", {"amount": 11.0}, plate="ramp"), "takes 0 to 10 and this is 11"),
        (use("Twice", {"amount": {"curve": {"keys": [{"frame": 1, "value": -4.0}]}}}, plate="ramp"), "and this is -4"),
    ],
)
def test_a_wrong_use_is_a_problem_there_and_nowhere_else(node, words):
    nodes = {
        "g": node,
        "after": NodeRecord("Add", inputs={"plate": Wire("g")}),
        "other": use("Twice", plate="ramp"),
    }
    flat = flatten(document(nodes, twice(minimum=0, maximum=10)))
    (problem,) = flat.problems
    assert problem.node == "g"
    assert re.search(words, str(problem)), str(problem)
    assert set(flat.records) == {"ramp", "after", "other/one", "other/two"}
    assert flat.records["after"].inputs == {"plate": Wire("g")}


def test_a_problem_inside_blocks_only_what_hangs_on_it(registry: Registry, tmp_path: Path):
    outer = Group(
        "Outer",
        nodes={
            "bad": use("Gone", plate="good"),
            "good": NodeRecord("Add"),
            "end": NodeRecord("Add", inputs={"plate": Wire("good")}),
        },
        inputs={"plate": GroupInput("VIDEO", (Pin("good", "plate"),))},
        outputs={"bad": GroupOutput("VIDEO", Wire("bad")), "out": GroupOutput("VIDEO", Wire("end"))},
    )
    nodes = {
        "o": use("Outer", plate="ramp"),
        "x": NodeRecord("Add", inputs={"plate": Wire("o", "bad")}),
        "y": NodeRecord("Add", inputs={"plate": Wire("o")}),
    }
    plan = compile_graph(document(nodes, outer), registry, tmp_path, strict=False)
    assert [problem.node for problem in plan.problems] == ["o/bad"]
    assert set(plan.index) == {"ramp", "o", "o/good", "o/end", "y"}


def test_an_output_that_a_group_has_not_is_a_problem_of_the_reader():
    end = NodeRecord("Keep", inputs={"video": Wire("m", "difference")})
    flat = flatten(document({"m": use("Mix", first="ramp"), "end": end}, mix()))
    (problem,) = flat.problems
    assert problem.node == "end" and 'no output "difference"' in str(problem) and "one of: out, sum" in str(problem)


def test_an_id_with_a_slash_and_groups_do_not_go_together():
    flat = flatten(document({"a/b": NodeRecord("Add"), "g": use("Twice", plate="ramp")}, twice()))
    assert [problem.node for problem in flat.problems] == ["a/b"]


def test_a_hundred_levels_are_one_node(registry: Registry, tmp_path: Path):
    levels = [level(number) for number in range(100)]
    nodes = {"g": use("Level99", {"amount": 3.0}, plate="ramp"), "end": NodeRecord("Keep", inputs={"video": Wire("g")})}
    deep = document(nodes, *levels)
    plan = compile_graph(Document.loads(deep.dumps()), registry, tmp_path)
    inner = "g/" + "/".join(["n0"] * 100)
    assert [step.name for step in plan.steps] == ["ramp", inner, "end"]
    assert plan.steps[1].node.amount == 3.0
    assert reached(deep, "g", "amount") == (Pin(inner, "amount"),)


def test_thousands_of_levels_need_no_recursion():
    levels = [level(number) for number in range(2_000)]
    flat = flatten(document({"g": use("Level1999", plate="ramp")}, *levels))
    assert flat.problems == [] and len(flat.records) == 2


def test_doubling_at_each_level_is_refused_before_it_is_built(monkeypatch):
    opened = []
    monkeypatch.setattr(groups, "inside", lambda *asked: opened.append(asked) or iter(()))
    levels = [level(number, wide=2) for number in range(100)]
    flat = flatten(document({"g": use("Level99", plate="ramp"), "h": use("Level0", plate="ramp")}, *levels))
    (problem,) = flat.problems
    assert problem.node == "g" and "more than 1,000,000 nodes" in str(problem)
    assert [path for path, *_ in opened] == ["h"]
    assert reached(document({"g": use("Level99")}, *levels), "g", "amount") == ()


def test_groups_that_would_fill_memory_with_names_are_refused():
    many = Group("Many", nodes={f"n{at}": NodeRecord("Add") for at in range(10_000)})
    long = Group("Long", nodes={"x" * 100_000: use("Many")})
    (problem,) = flatten(document({"g": use("Long")}, many, long)).problems
    assert problem.node == "g" and "bytes" in str(problem)


@pytest.mark.parametrize("steps", [1, 2, 30])
def test_a_group_that_contains_itself_is_refused(steps: int):
    ring = [Group(f"R{at}", nodes={"next": use(f"R{(at + 1) % steps}")}) for at in range(steps)]
    outer = Group("Outer", nodes={"ring": use("R0")})
    graph = document({"g": use("Outer"), "h": use("R0"), "fine": use("Twice", plate="ramp")}, outer, twice(), *ring)
    flat = flatten(graph)
    assert [problem.node for problem in flat.problems] == ["g", "h"]
    assert all("contains itself" in str(problem) for problem in flat.problems)
    assert set(flat.records) == {"ramp", "fine/one", "fine/two"}
    assert reached(graph, "h", "amount") == ()


def test_groups_from_a_library_are_used_where_the_document_has_none():
    nodes = {"g": use("Twice", plate="ramp")}
    assert set(flatten(document(nodes), carried(twice())).records) == {"ramp", "g/one", "g/two"}
    other = Group(
        "Twice", nodes={"only": NodeRecord("Add")}, inputs={"plate": GroupInput("VIDEO", (Pin("only", "plate"),))}
    )
    assert set(flatten(document(nodes, other), carried(twice())).records) == {"ramp", "g/only"}


def test_a_graph_with_groups_is_saved_with_them():
    graph = document({"g": use("Twice", plate="ramp")}, twice(doc="How much.", default=2.0, maximum=4), mix())
    assert Document.loads(graph.dumps()) == graph
    assert graph.to_json()["version"] == GROUPS_VERSION
    assert document({}).to_json()["version"] == 1


def test_a_group_is_a_file_of_its_own():
    outer = Group("Outer", nodes={"t": use("Twice"), "s": use("Twice", plate="t")}, category="look", doc="Four times.")
    graph = document({"g": use("Outer")}, outer, twice(), mix())
    file = extract(graph, "Outer@1")
    assert (file.group, dict(file.groups)) == (outer, carried(twice()))
    again = GroupFile.loads(file.dumps())
    assert again == file
    assert document({"g": use("Outer")}).with_group(again).groups == carried(outer, twice())
    with pytest.raises(ArtifexError, match=r"does not carry Gone@1.*one of: Outer@1"):
        extract(graph, "Gone@1")


def test_two_groups_of_one_name_and_version_do_not_meet():
    with pytest.raises(DocumentError, match=r"another group that is also called Twice, version 1.*higher version"):
        document({}, twice()).with_group(GroupFile(twice(default=1.0)))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"inputs": {"p": GroupInput("VIDEO", (Pin("x", "plate"),))}}, '"p" leads to node "x"'),
        ({"inputs": {"p": GroupInput("VIDEO", ())}}, '"p" leads to nothing'),
        ({"outputs": {"out": GroupOutput("VIDEO", Wire("x"))}}, 'from node "x"'),
        ({"parameters": {"a": GroupParameter((Pin("x", "amount"),))}}, '"a" leads to node "x"'),
        (
            {
                "inputs": {"a": GroupInput("VIDEO", (Pin("n", "a"),))},
                "parameters": {"a": GroupParameter((Pin("n", "b"),))},
            },
            "of an input and of a parameter",
        ),
        (
            {
                "inputs": {"a": GroupInput("CONTROL", (Pin("n", "a"),))},
                "parameters": {"b": GroupParameter((Pin("n", "a"),))},
            },
            "both lead to",
        ),
        ({"nodes": {"n/m": NodeRecord("Add")}}, "inside a group"),
        ({"name": ""}, "no name"),
        ({"version": 0}, "whole number"),
    ],
)
def test_a_group_that_does_not_hold_together_is_refused(parts, words):
    with pytest.raises(DocumentError, match=words):
        Group(**{"name": "G", "nodes": {"n": NodeRecord("Add")}, **parts})


CHAIN = Document(
    {
        "ramp": NodeRecord("Ramp"),
        "a": NodeRecord("Add", params={"amount": 2.0}, inputs={"plate": Wire("ramp")}, ui={"x": 1}),
        "b": NodeRecord("Sum", inputs={"a": Wire("a"), "b": Wire("ramp")}),
        "side": NodeRecord("Add", inputs={"plate": Wire("a")}),
        "end": NodeRecord("Keep", inputs={"video": Wire("b")}),
    }
)


def test_a_selection_becomes_a_group(registry: Registry):
    graph, group = make_group(
        CHAIN, ["a", "b"], "Look", registry, parameters={"amount": [Pin("a", "amount")]}, doc="Mine."
    )
    assert list(graph.nodes) == ["ramp", "Look", "side", "end"]
    assert graph.nodes["Look"] == use("Look", plate="ramp")
    assert group.inputs == {"plate": GroupInput("VIDEO", (Pin("a", "plate"), Pin("b", "b")))}
    assert group.outputs == {"a": GroupOutput("VIDEO", Wire("a")), "b": GroupOutput("VIDEO", Wire("b"))}
    assert graph.nodes["side"].inputs == {"plate": Wire("Look", "a")}
    assert Document.loads(graph.dumps()) == graph


def test_expanding_undoes_it(registry: Registry):
    graph, _ = make_group(CHAIN, ["a", "b"], "Look", registry)
    assert expand(graph, "Look").nodes == CHAIN.nodes
    assert list(expand(graph, "Look").nodes) == list(CHAIN.nodes)


def test_expanding_takes_along_what_was_set_and_finds_free_ids(registry: Registry):
    graph, _ = make_group(CHAIN, ["a", "b"], "Look", registry, parameters={"amount": [Pin("a", "amount")]})
    graph = Document({**graph.with_params("Look", amount=7.0).nodes, "a": NodeRecord("Ramp")}, graph.groups)
    expanded = expand(graph, "Look").nodes
    assert expanded["a2"].params == {"amount": 7.0} and expanded["a"].type == "Ramp"
    assert expanded["b"].inputs == {"a": Wire("a2"), "b": Wire("ramp")}


def test_what_cannot_be_a_group_is_refused(registry: Registry):
    with pytest.raises(NodeError, match="node a lies between"):
        make_group(CHAIN, ["ramp", "b"], "Look", registry)
    with pytest.raises(NodeError, match="no node gone"):
        make_group(CHAIN, ["gone"], "Look", registry)
    with pytest.raises(ArtifexError, match="no node is chosen"):
        make_group(CHAIN, [], "Look", registry)
    with pytest.raises(NodeError, match="has a node end"):
        make_group(CHAIN, ["a"], "Look", registry, node="end")
    with pytest.raises(NodeError, match=r'Add has no parameter "amuont".*one of: amount'):
        make_group(CHAIN, ["a"], "Look", registry, parameters={"much": [Pin("a", "amuont")]})
    alien = Document({**CHAIN.nodes, "b": NodeRecord("Alien", inputs={"a": Wire("a")})})
    with pytest.raises(NodeError, match="nothing here knows what its input a takes"):
        make_group(alien, ["b"], "Look", registry)
    with pytest.raises(NodeError, match="it is no group"):
        expand(CHAIN, "a")


@st.composite
def selections(draw):
    """A chain with cross wires, groups among its nodes, and a few neighbours of it."""
    length = draw(st.integers(2, 8))
    nodes = {"ramp": NodeRecord("Ramp")}
    names = ["ramp"]
    for at in range(length):
        ends = [draw(st.sampled_from(names)) for _ in range(2)]
        kind = draw(st.sampled_from(["Add", "Sum", "Twice", "Mix"]))
        record = {
            "Add": NodeRecord("Add", params={"amount": float(at)}, inputs={"plate": Wire(ends[0])}),
            "Sum": NodeRecord("Sum", inputs={"a": Wire(ends[0]), "b": Wire(ends[1])}),
            "Twice": use("Twice", {"amount": float(at)}, plate=ends[0]),
            "Mix": use("Mix", first=ends[0], second=ends[1]),
        }[kind]
        nodes[f"n{at}"] = record
        names.append(f"n{at}")
    graph = Document(nodes, carried(twice(), mix()))
    first = draw(st.integers(0, length - 1))
    return graph, names[first + 1 : draw(st.integers(first + 2, length + 1))]


@settings(max_examples=60, deadline=None)
@given(selections())
def test_a_group_of_any_selection_is_the_same_graph(registry: Registry, drawn):
    """Opened, the graph with the group has the nodes of the one without, under other names."""
    graph, chosen = drawn
    try:
        grouped, _ = make_group(graph, chosen, "Look", registry)
    except NodeError as error:
        assert "lies between" in str(error)
        return
    plain, opened = flatten(graph), flatten(grouped)
    assert opened.problems == []
    renamed = {path: f"Look/{path}" if path.split("/")[0] in chosen else path for path in plain.records}
    assert set(opened.records) == set(renamed.values())
    for path, record in plain.records.items():
        other = opened.records[renamed[path]]
        assert (other.type, other.params) == (record.type, record.params)
        assert other.inputs == {socket: Wire(renamed[end.node], end.output) for socket, end in record.inputs.items()}
    assert expand(grouped, "Look").nodes == graph.nodes


def test_a_group_has_an_entry_like_any_node(registry: Registry):
    outer = Group(
        "Outer",
        doc="Adds a lot.",
        nodes={"t": use("Twice", {"amount": 4.0})},
        inputs={"plate": GroupInput("VIDEO", (Pin("t", "plate"),))},
        outputs={"out": GroupOutput("VIDEO", Wire("t"))},
        parameters={"much": GroupParameter((Pin("t", "amount"),), {"maximum": 50, "doc": "How much."})},
    )
    told = group_entry(outer, carried(twice(minimum=0)), registry)
    plain = entry(registry.get("Add"))
    assert told.keys() == plain.keys()
    assert (told["name"], told["inputs"], told["doc"]) == ("group:Outer", plain["inputs"], "Adds a lot.")
    assert [each["name"] for each in told["outputs"]] == ["out"]
    assert told["parameters"] == [
        {**plain["parameters"][0], "name": "much", "default": 4.0, "minimum": 0, "maximum": 50, "doc": "How much."}
    ]
    graph = document(
        {"g": NodeRecord(told["name"], told["version"], told["example"]["params"], {"plate": Wire("ramp")})},
        outer,
        twice(),
    )
    assert flatten(graph).problems == []


def test_an_entry_of_something_unknown_names_the_node_inside(registry: Registry):
    alien = Group("Outer", nodes={"t": NodeRecord("Alien")}, parameters={"much": GroupParameter((Pin("t", "amount"),))})
    with pytest.raises(NodeError, match="knows the parameter amount of Alien") as caught:
        group_entry(alien, {}, registry)
    assert caught.value.node == "t"

from __future__ import annotations

import pytest

from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.errors import GraphError


def refusal(bench, **nodes) -> GraphError:
    with pytest.raises(GraphError) as caught:
        bench.plan(**nodes)
    return caught.value


def key(plan, name: str) -> bytes:
    return plan.steps[plan.index[name]].key


def test_inputs_come_before_their_readers(bench):
    plan = bench.plan(c=("Sum", {}, {"a": "b", "b": "a"}), b=("Add", {}, {"plate": "a"}), a=("Ramp", {}, {}))
    for at, step in enumerate(plan.steps):
        assert all(source < at for source in step.inputs.values())


def test_an_edit_changes_the_keys_downstream_and_no_others(bench):
    graph = {
        "a": ("Ramp", {}, {}),
        "left": ("Add", {"amount": 1.0}, {"plate": "a"}),
        "right": ("Add", {"amount": 2.0}, {"plate": "a"}),
        "top": ("Sum", {}, {"a": "left", "b": "right"}),
    }
    before = bench.plan(**graph)
    after = bench.plan(**{**graph, "left": ("Add", {"amount": 3.0}, {"plate": "a"})})
    changed = {name for name in before.index if key(before, name) != key(after, name)}
    assert changed == {"left", "top"}
    edited = before.with_params("left", amount=3.0)
    assert [step.key for step in edited.steps] == [step.key for step in after.steps]


def test_labels_and_order_in_the_file_never_change_a_key(bench):
    graph = {"a": ("Ramp", {}, {}), "b": ("Add", {}, {"plate": "a"})}
    plain = bench.plan(**graph)
    turned = bench.document(**dict(reversed(graph.items()))).to_json()
    turned["nodes"]["b"]["ui"] = {"label": "hello", "x": 7}
    other = compile_graph(Document.parse(turned), bench.registry, bench.context.models)
    assert key(plain, "b") == key(other, "b")


def test_a_changed_file_changes_the_key(bench):
    one = bench.plan(a=("Ramp", {"stamp": "size 1"}, {}))
    two = bench.plan(a=("Ramp", {"stamp": "size 2"}, {}))
    assert key(one, "a") != key(two, "a")


def test_identity_has_its_inputs_key_and_an_edit_takes_it_back(bench):
    plan = bench.plan(a=("Ramp", {}, {}), b=("Add", {"amount": 0.0}, {"plate": "a"}), c=("Add", {}, {"plate": "b"}))
    assert key(plan, "b") == key(plan, "a")
    edited = plan.with_params("b", amount=5.0)
    assert key(edited, "b") != key(edited, "a")
    assert key(edited, "c") != key(plan, "c")


def test_a_conversion_is_a_step_with_a_key_and_is_shared(bench):
    plan = bench.plan(a=("Ramp", {}, {}), one=("Needle", {}, {"still": "a"}), two=("Needle", {}, {"still": "a"}))
    conversions = [step for step in plan.steps if step.name == "a as IMAGE"]
    assert len(conversions) == 1
    assert conversions[0].key not in (key(plan, "a"), key(plan, "one"))


@pytest.mark.parametrize("length", [1, 2, 3, 50])
def test_a_cycle_is_named(bench, length: int):
    nodes = {f"n{at}": ("Add", {}, {"plate": f"n{(at + 1) % length}"}) for at in range(length)}
    error = refusal(bench, outside=("Add", {}, {"plate": "n0"}), **nodes)
    assert "circle" in str(error)
    assert error.node in nodes


def test_ten_thousand_nodes_in_one_chain_compile(bench):
    nodes = {"n0": ("Ramp", {}, {})} | {f"n{at}": ("Add", {}, {"plate": f"n{at - 1}"}) for at in range(1, 10_000)}
    plan = bench.plan(**nodes)
    assert len(plan.steps) == 10_000
    assert len(plan.upstream(plan.index["n9999"])) == 10_000


@pytest.mark.parametrize(
    ("nodes", "node", "word"),
    [
        ({"a": ("Rmap", {}, {})}, "a", '"Ramp"'),
        ({"a": ("Ramp", {"length": 0}, {})}, "a", "greater than or equal to 1"),
        ({"a": ("Ramp", {"length": "3"}, {})}, "a", "valid integer"),
        ({"a": ("Ramp", {}, {}), "b": ("Add", {"amount": float("nan")}, {"plate": "a"})}, "b", "finite"),
        ({"a": ("Ramp", {"colour": 3}, {})}, "a", 'no parameter "colour"'),
        ({"b": ("Add", {}, {})}, "b", "nothing is connected"),
        ({"b": ("Add", {}, {"plate": "gone"})}, "b", 'no node "gone"'),
        ({"a": ("Ramp", {}, {}), "b": ("Add", {}, {"plate": "a", "mask": "a"})}, "b", "no such input"),
        ({"a": ("Sound", {}, {}), "b": ("Add", {}, {"plate": "a"})}, "b", "AUDIO does not become VIDEO"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_node(bench, nodes, node: str, word: str):
    error = refusal(bench, **nodes)
    assert error.node == node
    assert word in str(error)


def test_a_wrong_output_is_named(bench):
    data = bench.document(a=("Ramp", {}, {}), b=("Add", {}, {"plate": "a"})).to_json()
    data["nodes"]["b"]["inputs"]["plate"] = ["a", "left"]
    with pytest.raises(GraphError, match="no such output"):
        compile_graph(Document.parse(data), bench.registry, bench.context.models)


def test_a_node_of_a_newer_release_is_refused(bench):
    data = bench.document(a=("Ramp", {}, {})).to_json()
    data["nodes"]["a"]["version"] = 2
    with pytest.raises(GraphError, match="version 2 of Ramp and version 1"):
        compile_graph(Document.parse(data), bench.registry, bench.context.models)


def test_all_problems_are_told_and_a_blocked_node_is_not_blamed(bench):
    error = refusal(
        bench,
        a=("Nothing", {}, {}),
        b=("Add", {}, {"plate": "a"}),
        c=("Ramp", {"length": -1}, {}),
    )
    assert {problem.node for problem in error.problems} == {"a", "c"}

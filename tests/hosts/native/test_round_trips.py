"""Documents through the texts of Nuke and Fusion and back: nothing is lost, and what the artist changes counts.

Between writing and reading, a real Tcl interpreter and a real LuaJIT load the text, and it is saved anew in the manner
of the host: other order, other quoting, rounded numbers.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from artifexpro.core.graph.document import Document
from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.nuke import gizmos
from artifexpro.hosts.resolve import macros
from tests.hosts.native import lua, tcl
from tests.hosts.native.documents import ALL, GLOW, GROUPED, SHOT, SIGNS, curve, graph, key, node

Catalogue = list[dict[str, Any]]


def through_nuke(document: Any, catalogue: Catalogue, change: Callable[[tcl.Node], None] = lambda _: None) -> Any:
    root = tcl.Tcl().load(gizmos.script(document, catalogue))
    change(root)
    return gizmos.document(tcl.save(root))


def through_fusion(document: Any, catalogue: Catalogue, change: Callable[[lua.Loaded], None] = lambda _: None) -> Any:
    loaded = lua.LuaJIT().load(macros.setting(document, catalogue))
    change(loaded)
    return macros.document(lua.save(loaded))


HOSTS = {"nuke": through_nuke, "fusion": through_fusion}


@pytest.fixture(params=HOSTS)
def through(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return HOSTS[request.param]


@pytest.mark.parametrize("name", ALL)
def test_a_document_comes_back_as_it_was(name: str, through: Callable[..., Any], catalogue: Catalogue) -> None:
    document = copy.deepcopy(ALL[name])
    back = through(document, catalogue)
    assert document == ALL[name], "the document that was shown is changed"
    assert json.dumps(back["nodes"], sort_keys=True) == json.dumps(_stated(document["nodes"]), sort_keys=True)
    assert back.get("groups", {}) == document.get("groups", {})
    assert Document.parse(back) == Document.parse(document)


def _stated(nodes: dict[str, Any]) -> dict[str, Any]:
    """Nodes with their version, and without empty tables, as documents are saved."""
    whole = {ident: {"version": 1, **told} for ident, told in nodes.items()}
    return {ident: {name: value for name, value in told.items() if value != {}} for ident, told in whole.items()}


def test_a_document_goes_round_all_hosts_twice(catalogue: Catalogue) -> None:
    document = GROUPED
    for _ in range(2):
        document = through_fusion(through_nuke(document, catalogue), catalogue)
    assert Document.parse(document) == Document.parse(GROUPED)


def test_every_node_comes_back_with_every_parameter_set(through: Callable[..., Any], catalogue: Catalogue) -> None:
    params = {entry["name"]: {each["name"]: _other(each) for each in entry["parameters"]} for entry in catalogue}
    nodes = {name: node(name, values) for name, values in params.items()}
    assert Document.parse(through(graph(nodes), catalogue)) == Document.parse(graph(nodes))


def _other(parameter: dict[str, Any]) -> Any:
    """A value that is not the default."""
    default = parameter["default"]
    if parameter["type"] == "bool":
        return not default
    if parameter["type"] == "choice":
        return next(choice for choice in parameter["choices"] if choice != default)
    if parameter["type"] == "string":
        return f"{default} other"
    if parameter["type"] == "curve":
        return curve(key(3, 1.5))
    low, high = parameter["minimum"], parameter["maximum"]
    if parameter["type"] == "int":
        return next(value for value in (7, low, high) if value != default and (high is None or value <= high))
    value = (low or 0) * 0.25 + (1.0 if high is None else high) * 0.75
    return round(value, 3)


# ------------------------------------------------------------------ what the artist changes


def test_a_knob_that_was_changed_in_nuke_counts(catalogue: Catalogue) -> None:
    def change(root: tcl.Node) -> None:
        root.find("mixed").knobs.update(mode="multiply")
        root.find("movie").knobs.update(path="other [name].mov", crf="3")
        root.find("soft").knobs.update(size="{curve K x1001 2 L x1009 4}", label="softer", xpos="7")

    back = through_nuke(SHOT, catalogue, change)["nodes"]
    assert back["mixed"]["params"] == {"mode": "multiply", "mix": 1}
    assert back["movie"]["params"] == {"path": "other [name].mov", "crf": 3, "codec": "png16"}
    keys = back["soft"]["params"]["size"]["curve"]["keys"]
    assert keys == [{"frame": 1001.0, "value": 2.0, "ease": "constant"}, {"frame": 1009.0, "value": 4.0}]
    assert back["soft"]["params"]["size"]["curve"]["after"] == "cycle", "Nuke shows no word of what follows the keys"
    assert back["soft"]["ui"] == {"x": 7, "y": 100, "label": "softer", "color": [1, 0.5, 0]}
    assert back["plate"] == SHOT["nodes"]["plate"]


def test_a_control_that_was_changed_in_fusion_counts(catalogue: Catalogue) -> None:
    def change(loaded: lua.Loaded) -> None:
        loaded["Tools/mixed/Inputs/mode"].named["Value"] = 3
        loaded["Tools/movie/Inputs/path"].named["Value"] = "other.mov"
        loaded["Tools/soft/Inputs"].named["size"] = lua.Loaded("Input", [], {"Value": 2.5})
        loaded["Tools/plate/Inputs"].named.pop("space")

    back = through_fusion(SHOT, catalogue, change)["nodes"]
    assert back["mixed"]["params"] == {"mode": "multiply", "mix": 1}
    assert back["movie"]["params"] == {"path": "other.mov", "codec": "png16"}
    assert back["soft"]["params"] == {"size": 2.5}
    assert back["plate"] == SHOT["nodes"]["plate"], "a control that Fusion does not write is at its default"


def test_one_key_moved_leaves_the_easing_of_the_others(through: Callable[..., Any], catalogue: Catalogue) -> None:
    eased = graph({"soft": node("Blur", {"size": curve(key(1, 0, "back_in"), key(9, 4, "sine_out"), key(20, 1))})})

    def in_nuke(root: tcl.Node) -> None:
        knobs = root.find("soft").knobs
        knobs["size"] = knobs["size"].replace("x20 1", "x20 2")

    def in_fusion(loaded: lua.Loaded) -> None:
        loaded["Tools/soft/Tools/soft_size/KeyFrames"].named[20].listed[0] = 2

    change = in_nuke if through is through_nuke else in_fusion
    keys = through(eased, catalogue, change)["nodes"]["soft"]["params"]["size"]["curve"]["keys"]
    assert [key.get("ease") for key in keys[:2]] == ["back_in", "sine_out"]
    assert (keys[2]["frame"], keys[2]["value"]) == (20, 2)


def test_a_wire_that_was_moved_counts(through: Callable[..., Any], catalogue: Catalogue) -> None:
    def in_nuke(root: tcl.Node) -> None:
        mixed = root.find("mixed")
        mixed.inputs = [root.find("soft"), None, mixed.inputs[2]]

    def in_fusion(loaded: lua.Loaded) -> None:
        routers = loaded["Tools/mixed/Tools"]
        routers["mixed_a/Inputs/Input"].named["SourceOp"] = "soft_out"
        del routers["mixed_b"].named["Inputs"]

    change = in_nuke if through is through_nuke else in_fusion
    assert through(SHOT, catalogue, change)["nodes"]["mixed"]["inputs"] == {
        "a": ["soft", "out"],
        "mix": ["wave", "out"],
    }


def test_a_new_node_is_one_of_the_graph(catalogue: Catalogue) -> None:
    """As an artist makes it: the Group of the catalogue pasted, renamed by Nuke, connected to a node through a dot."""
    blur = next(entry for entry in catalogue if entry["name"] == "Blur")

    def change(root: tcl.Node) -> None:
        (new,) = tcl.Tcl().load(gizmos.gizmo(blur)).inside or ()
        new.knobs.update(name="Blur1", size="3.5")
        dot = tcl.Node("Dot", {"name": "Dot1"}, inputs=[root.find("mixed")])
        new.inputs = [dot]
        assert root.inside is not None
        root.inside += [dot, new]

    back = through_nuke(SHOT, catalogue, change)["nodes"]
    assert back.pop("Blur1") == node("Blur", {"size": 3.5}, None, video="mixed")
    assert back == SHOT["nodes"]


def test_a_copy_is_another_node_and_a_renamed_one_has_its_new_name(catalogue: Catalogue) -> None:
    def change(root: tcl.Node) -> None:
        copied = copy.copy(root.find("soft"))
        copied.knobs = {**copied.knobs, "name": "soft1"}
        root.find("plate").knobs["name"] = "background"
        assert root.inside is not None
        root.inside.append(copied)

    back = through_nuke(SHOT, catalogue, change)["nodes"]
    assert set(back) == {*SHOT["nodes"], "soft1", "background"} - {"plate"}
    assert back["soft"]["inputs"] == back["soft1"]["inputs"] == {"video": ["background", "out"]}
    assert back["soft1"]["params"] == SHOT["nodes"]["soft"]["params"]


def test_a_group_changed_inside_becomes_a_version_of_its_own(through: Callable[..., Any], catalogue: Catalogue) -> None:
    def in_nuke(root: tcl.Node) -> None:
        root.find("glow").find("soft").knobs["size"] = "30"

    def in_fusion(loaded: lua.Loaded) -> None:
        loaded["Tools/glow/Tools/soft/Inputs/size"].named["Value"] = 30

    back = through(GROUPED, catalogue, in_nuke if through is through_nuke else in_fusion)
    assert back["nodes"]["glow"] == {**GROUPED["nodes"]["glow"], "version": 4}
    assert back["nodes"]["twice"] == GROUPED["nodes"]["twice"], "others go on with the group they have"
    assert set(back["groups"]) == {"Glow@3", "Glow@4", "Twice@1", "Spare@1"}
    assert back["groups"]["Glow@3"] == GLOW
    assert back["groups"]["Glow@4"]["nodes"]["soft"]["params"] == {"size": 30}
    Document.parse(back)


def test_a_group_inside_a_group_changes_both(catalogue: Catalogue) -> None:
    def change(root: tcl.Node) -> None:
        root.find("twice").find("one").knobs["size"] = "77"

    back = through_nuke(GROUPED, catalogue, change)
    assert back["nodes"]["twice"]["version"] == 2 and back["nodes"]["again"]["version"] == 1
    assert back["groups"]["Twice@2"]["nodes"]["one"]["params"] == {"size": 77.0}
    assert "Glow@4" not in back["groups"]


def test_a_node_taken_out_of_a_group_takes_its_parameters_along(catalogue: Catalogue) -> None:
    def change(root: tcl.Node) -> None:
        glow = root.find("glow")
        soft, light = glow.find("soft"), glow.find("light")
        light.inputs = [None if source is soft else source for source in light.inputs]
        assert glow.inside is not None
        glow.inside.remove(soft)

    back = through_nuke(GROUPED, catalogue, change)
    changed = back["groups"]["Glow@4"]
    assert set(changed["parameters"]) == {"name", "unknown"} and set(changed["outputs"]) == {"out"}
    assert changed["inputs"]["video"]["to"] == [["light", "a"]]
    assert back["nodes"]["glow"]["params"] == {"name": "multiply"}
    Document.parse(back)


# ------------------------------------------------------------------ what cannot be read


def refused(text: str, read: Callable[[str], Any], *words: str) -> None:
    with pytest.raises(BridgeError) as refusal:
        read(text)
    said = refusal.value.sentence()
    assert said.startswith("Attempted to ") and ". Failed because " in said and ". Try " in said
    assert all(word in said for word in words), said


def test_an_expression_is_refused_by_name(catalogue: Catalogue) -> None:
    flat = graph({"soft": node("Blur", {"size": 12.5})})
    text = gizmos.script(flat, catalogue)
    for expression in ("frame/10", "curve + 1 x1 2", "parent.Blur1.size"):
        refused(text.replace("size 12.5", f"size {{{{{expression}}}}}"), gizmos.document, "size", "soft", "expression")
    text = macros.setting(flat, catalogue).replace("Value = 12.5", 'Value = 12.5, Expression = "time/10"')
    refused(text, macros.document, "size", "soft", "time/10")


def test_a_node_of_the_hosts_own_is_refused_by_name(catalogue: Catalogue) -> None:
    def change(root: tcl.Node) -> None:
        assert root.inside is not None
        root.find("soft").inputs = [tcl.Node("Grade", {"name": "Grade7"})]
        root.inside.insert(0, root.find("soft").inputs[0])

    with pytest.raises(BridgeError, match="connected to Grade7, which is a node of Nuke's"):
        through_nuke(SHOT, catalogue, change)

    def rewire(loaded: lua.Loaded) -> None:
        loaded["Tools/soft/Tools/soft_video/Inputs/Input"].named["SourceOp"] = "Loader1"

    with pytest.raises(BridgeError, match="connected to Loader1, which is a tool of Fusion's"):
        through_fusion(SHOT, catalogue, rewire)


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_half_a_text_is_refused(keep: float, catalogue: Catalogue) -> None:
    for whole, read in ((gizmos.script, gizmos.document), (macros.setting, macros.document)):
        text = whole(SHOT, catalogue)
        refused(text[: int(len(text) * keep)], read, "read the ")


def test_a_record_changed_by_hand_is_refused(catalogue: Catalogue) -> None:
    text = gizmos.script(graph({"soft": node("Blur")}), catalogue)
    refused(re.sub(r'\n artifexpro ".*"\n', '\n artifexpro "nonsense"\n', text), gizmos.document, "soft", "no JSON")
    refused(re.sub(r'\n artifexpro ".*"\n', '\n artifexpro "\\{\\}"\n', text), gizmos.document, "soft", "which type")
    text = re.sub(r'artifexpro = ".*"', "artifexpro = 7", macros.setting(graph({"soft": node("Blur")}), catalogue))
    refused(text, macros.document, "soft", "hidden record")


def test_a_number_that_is_none_is_refused(catalogue: Catalogue) -> None:
    text = gizmos.script(graph({"gate": node("QualityGate", {"most_jerk": 3})}), catalogue)
    refused(text.replace("most_jerk 3", "most_jerk few"), gizmos.document, "Most jerk", "gate", "few")


def test_wires_in_a_circle_are_refused(catalogue: Catalogue) -> None:
    circle = graph({"a": node("Blur", None, None, video="b"), "b": node("Blur", None, None, video="a")})
    for write in (gizmos.script, macros.setting):
        with pytest.raises(BridgeError, match="round in a circle at a, b"):
            write(circle, catalogue)


@pytest.mark.parametrize("broken", [{}, {"format": "artifexpro.graph"}, graph({"a": {}}), graph({"a": {"type": 3}})])
def test_what_is_no_graph_is_refused(broken: Any, catalogue: Catalogue) -> None:
    for write in (gizmos.script, macros.setting):
        with pytest.raises(BridgeError, match="Attempted to show the graph as nodes"):
            write(broken, catalogue)


def test_a_group_in_itself_is_shown_once(through: Callable[..., Any], catalogue: Catalogue) -> None:
    endless = {**GLOW, "nodes": {**GLOW["nodes"], "soft": {"type": "group:Glow", "version": 3}}}
    document = graph({"glow": {"type": "group:Glow", "version": 3}}, {"Glow@3": endless})
    assert through(document, catalogue) == document


def test_texts_of_every_kind_arrive_in_the_knobs(catalogue: Catalogue) -> None:
    document = graph({"clip": node("TI2VGenerator", {"prompt": SIGNS})})
    assert tcl.Tcl().load(gizmos.script(document, catalogue)).find("clip").knobs["prompt"] == SIGNS
    assert lua.LuaJIT().load(macros.setting(document, catalogue))["Tools/clip/Inputs/prompt/Value"] == SIGNS

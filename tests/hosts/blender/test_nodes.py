"""Graphs in the node editor of real Blenders: classes from the catalogue, documents there and back, rendering."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest

from artifexpro.core.graph.conversions import CONVERSIONS
from artifexpro.core.graph.curves import Curve, Key
from artifexpro.core.graph.document import Document
from artifexpro.hosts.blender.nodes import fitting
from artifexpro.hosts.bridge.catalogue import controls
from tests.hosts.native.conftest import catalogue
from tests.hosts.native.documents import ALL, MOVES, PROMPTS, SHOT
from tests.hosts.terminal.conftest import run_in

__all__ = ["catalogue"]


@pytest.fixture(scope="module")
def told(stage: Any) -> Any:
    stage.settings["documents"] = json.dumps(ALL)
    stage.settings["plate"] = str(stage.folder / "plate.%04d.exr")
    noise = np.random.default_rng(1).random((3, 24, 32, 4), np.float32)
    for number, pixels in enumerate(noise):
        pixels[..., 3] = 1.0
        plate = oiio.ImageBuf(oiio.ImageSpec(32, 24, 4, "half"))
        plate.set_pixels(oiio.ROI(), pixels)
        assert plate.write(str(stage.folder / f"plate.{1001 + number}.exr"))
    return stage.act("graph_round")


@pytest.fixture(scope="module")
def again(stage: Any, told: Any) -> Any:
    return stage.act("reopened")


def test_the_wires_that_fit_are_those_of_the_engine() -> None:
    assert set(CONVERSIONS) == fitting.BECOMES


def test_a_key_that_does_not_say_its_shape_has_the_engines(told: Any) -> None:
    assert told["shape"] == {name: Key.model_fields[name].default for name in ("back", "amplitude", "period")}


def test_the_add_menu_says_so_until_a_daemon_was_heard(told: Any, catalogue: Any) -> None:
    count, menu = told["hear"]["before"]
    assert count == 0 and menu["menus"] == []
    assert "not known here yet" in menu["lines"][0] and menu["buttons"] == ["artifexpro.connect"]
    shown = told["hear"]["menu"]
    assert shown["menus"] == sorted({entry["category"].capitalize() for entry in catalogue})
    assert told["hear"]["kept"] == catalogue


def test_every_node_has_a_class_with_all_its_sockets_and_parameters(told: Any, catalogue: Any) -> None:
    classes = told["hear"]["kinds"]["nodes"]
    assert set(classes) == {entry["name"] for entry in catalogue}
    for entry in catalogue:
        shown = classes[entry["name"]]
        moving = [[each["name"], "CONTROL"] for each in entry["parameters"] if each["animatable"]]
        assert shown["inputs"] == [[each["name"], each["type"]] for each in entry["inputs"]] + moving
        assert shown["outputs"] == [[each["name"], each["type"]] for each in entry["outputs"]]
        assert set(shown["properties"]) == {f"ap_{each['name']}" for each in entry["parameters"]}
        docs = {f"ap_{each.name}": each.doc for each in controls(entry)}
        assert shown["properties"] == docs, entry["name"]


def test_a_node_that_was_just_added_has_the_nodes_own_values(told: Any) -> None:
    fresh = told["hear"]["kinds"]["fresh"]
    assert len(fresh) > 40 and not any(fresh.values()), {name: params for name, params in fresh.items() if params}


@pytest.mark.parametrize("name", ALL)
def test_a_document_comes_back_as_it_was(name: str, told: Any, again: Any) -> None:
    for back in (told["round_trips"]["back"][name], again["back"][name]):
        assert Document.parse(back) == Document.parse(ALL[name])
    assert not again["connected"]


def test_curves_are_drawn_as_they_are_computed(told: Any) -> None:
    eases = told["round_trips"]["eases"]
    assert eases == ["BEZIER", "SINE", "CONSTANT", "LINEAR", "BEZIER", "ELASTIC", "BOUNCE"]
    curve = Curve.parse(MOVES)
    frames = [1000 + at / 2 for at in range(2, 121)]
    ours = [curve.at(frame) for frame in frames]
    np.testing.assert_allclose(told["round_trips"]["sampled"][2:121], ours, rtol=1e-3, atol=1e-3)


def test_what_the_artist_changes_counts_and_nothing_else(again: Any) -> None:
    nodes = again["changed"]["nodes"]
    assert nodes["movie"]["params"] == {**SHOT["nodes"]["movie"]["params"], "path": "other.mov", "crf": 3}
    assert nodes["mixed"]["params"] == {"mode": "multiply", "mix": 1}
    assert nodes["soft"]["ui"] == {**SHOT["nodes"]["soft"]["ui"], "label": "softer"}
    now, before = (told["params"]["size"]["curve"] for told in (nodes["soft"], SHOT["nodes"]["soft"]))
    assert [at for at, key in enumerate(before["keys"]) if key != now["keys"][at]] == [1]
    assert (now["keys"][1]["value"], now["keys"][1]["ease"]) == (2.0, "sine_in_out")
    assert (now["before"], now["after"]) == ("linear", "cycle")
    assert nodes["plate"] == SHOT["nodes"]["plate"] and nodes["wave"] == SHOT["nodes"]["wave"]


def test_what_cannot_be_in_a_graph_is_refused(told: Any, again: Any) -> None:
    driver, muted = again["refusals"]
    assert "driver" in driver and "keyframes" in driver
    assert "muted" in muted and "Try" in muted
    links, sentence = told["rendered"]["wrong"]
    assert links == 0 and "AUDIO does not become VIDEO by itself" in sentence
    assert "No graph of ArtifexPro is open" in told["rendered"]["empty"]
    assert "The graph writes nothing" in told["rendered"]["sinkless"]


def test_the_graph_of_a_strip_opens(told: Any) -> None:
    assert told["opened"]["done"] == ["FINISHED"]
    assert Document.parse(told["opened"]["document"]) == Document.parse(PROMPTS)


def test_a_tree_renders_to_the_pixels_of_its_document(told: Any, daemon_home: Path, tmp_path: Path) -> None:
    made = told["rendered"]
    assert made["state"] == "delivered", made["message"]
    assert made["links"] == 3 and "Traceback" not in told["said"]
    assert {node["type"] for node in made["document"]["nodes"].values()} == {"SequenceInput", "Blur", "FileOutput"}
    document = made["document"]
    end = next(node for node in document["nodes"].values() if node["type"] == "FileOutput")
    end["params"]["path"] = str(tmp_path / "frame.%04d.exr")
    (tmp_path / "graph.json").write_text(json.dumps(document))
    done = run_in(daemon_home, tmp_path)("render", str(tmp_path / "graph.json"))
    assert done.status == 0, done.err
    (pattern,) = made["written"]
    theirs, ours = frames(Path(pattern).parent), frames(tmp_path)
    assert ours.shape[0] == 3 and np.ptp(ours[..., :3]) > 0.01
    np.testing.assert_array_equal(ours, theirs)


def frames(folder: Path) -> np.ndarray[Any, Any]:
    found = [oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT) for path in sorted(folder.glob("frame.*.exr"))]
    return np.stack(found)

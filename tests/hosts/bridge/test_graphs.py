"""Documents and requests built without the engine are what the engine reads."""

from __future__ import annotations

import pytest

from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.document import FORMAT, FORMAT_VERSION, Document
from artifexpro.core.nodes import library
from artifexpro.core.protocol import JobRequest
from artifexpro.hosts.bridge import graphs
from artifexpro.hosts.bridge.errors import BridgeError

PARAMS = {"prompt": "a red kite", "seed": 3}


def types(document):
    return {name: each["type"] for name, each in document["nodes"].items()}


@pytest.mark.parametrize("generator", ["TI2VGenerator", "T2VGenerator"])
@pytest.mark.parametrize("outputs", [graphs.MAIN_JOB, graphs.Outputs(), graphs.Outputs(None, "f.%04d.exr", "e.otio")])
def test_a_clip_graph_compiles(tmp_path, generator, outputs):
    document = graphs.clip_graph(generator, PARAMS, outputs)
    plan = compile_graph(Document.parse(document), library(), tmp_path)
    written = [each for each in vars(outputs).values() if each is not None]
    assert len(plan.sinks()) == len(written)


def test_a_clip_graph_from_a_picture_compiles(tmp_path):
    for frame, kinds in ((None, {"MediaInput"}), (12, {"MediaInput", "FrameHold"})):
        document = graphs.clip_graph(
            "TI2VGenerator", PARAMS, graphs.Outputs(), image=str(tmp_path / "plate.mov"), image_frame=frame
        )
        compile_graph(Document.parse(document), library(), tmp_path)
        assert kinds == set(types(document).values()) - {"TI2VGenerator", "FileOutput"}
    assert document["nodes"]["first"]["params"]["frame"] == graphs.FIRST_FRAME + 12


@pytest.mark.parametrize(
    ("generator", "media", "kinds"),
    [
        ("I2VGenerator", {"image": "a.png", "last_image": "b.png"}, ["MediaInput", "MediaInput"]),
        ("I2VGenerator", {"image": "a.png", "motion_guide": "walk.mov"}, ["MediaInput", "MediaInput"]),
        ("StyleTransfer", {"video": "plate.mov"}, ["MediaInput"]),
        ("StyleTransfer", {"video": "plate.%04d.exr"}, ["SequenceInput"]),
        ("MaskedEdit", {"video": "plate.####.exr", "mask": "m.png"}, ["MatteFrom", "MediaInput", "SequenceInput"]),
        (
            "MaskedEdit",
            {"video": "plate.mov", "mask": "m.%04d.png", "reference": "r.png"},
            ["MatteFrom", "MediaInput", "MediaInput", "SequenceInput"],
        ),
    ],
)
def test_a_clip_graph_from_files_compiles(tmp_path, generator, media, kinds):
    files = {socket: str(tmp_path / name) for socket, name in media.items()}
    document = graphs.clip_graph(generator, PARAMS, graphs.Outputs(), media=files)
    plan = compile_graph(Document.parse(document), library(), tmp_path)
    assert sorted(kind for kind in types(document).values() if kind not in (generator, "FileOutput")) == kinds
    clip = plan.steps[plan.index["clip"]]
    assert set(clip.inputs) == set(media)
    assert ("first_frame" in document["nodes"]["clip"]["params"]) == ("video" not in media)


def test_the_values_of_a_mask_are_taken_as_they_are(tmp_path):
    document = graphs.clip_graph("MaskedEdit", PARAMS, graphs.Outputs(), media={"video": "p.mov", "mask": "m.png"})
    assert document["nodes"]["mask"]["params"]["space"] == "ACEScg"
    assert document["nodes"]["video"]["params"] == {"path": "p.mov", "first_frame": graphs.FIRST_FRAME}


def test_the_format_is_the_engines():
    assert (graphs.FORMAT, graphs.FORMAT_VERSION) == (FORMAT, FORMAT_VERSION)


def test_a_request_is_one_the_protocol_takes():
    work = graphs.render_work(
        graphs.clip_graph("TI2VGenerator", PARAMS, graphs.MAIN_JOB), frames=(1001, 1009), scale=0.5
    )
    request = JobRequest.model_validate(
        graphs.job_request(
            work,
            title="kite",
            output="/shots",
            inputs=("/shots/plate.mov",),
            target={"host": "blender", "frame": 12},
            client={"name": "x", "version": "1", "host": "blender"},
            priority=5,
            fresh=True,
        )
    )
    assert request.work.frames.last == 1009 and request.fresh and request.priority == 5
    assert JobRequest.model_validate(graphs.job_request({"kind": "models.verify", "model": "smoke"})).key != request.key


def test_each_request_has_a_key_of_its_own_unless_it_is_the_same_job():
    work = {"kind": "models.verify", "model": "smoke"}
    assert len({graphs.job_request(work)["key"] for _ in range(50)}) == 50
    assert graphs.job_request(work, key="k" * 8) == graphs.job_request(work, key="k" * 8)


def blur(**nodes):
    return graphs.document({"plate": graphs.node("MediaInput", {"path": "/p.mov"}), **nodes})


def test_an_output_goes_to_the_one_file_output_there_is():
    graph = blur(out=graphs.node("FileOutput", {"path": "a.mp4", "crf": 3}, video="plate"))
    changed = graphs.with_output(graph, "b.mp4")
    assert changed["nodes"]["out"]["params"] == {"path": "b.mp4", "crf": 3}
    assert graph["nodes"]["out"]["params"]["path"] == "a.mp4", "the document that was given is left alone"


def test_an_output_is_added_behind_the_one_loose_end():
    graph = blur(output=graphs.node("Blur", {"size": 2}, video="plate"))
    changed = graphs.with_output(graph, "b.mp4")
    assert changed["nodes"]["output2"] == graphs.node("FileOutput", {"path": "b.mp4"}, video="output")


@pytest.mark.parametrize(
    ("graph", "word"),
    [
        ({}, "no nodes"),
        (blur(a=graphs.node("Blur", {}, video="plate"), b=graphs.node("Blur", {}, video="plate")), "2 of its nodes"),
        (
            blur(
                a=graphs.node("FileOutput", {"path": "a"}, video="plate"),
                b=graphs.node("FileOutput", {"path": "b"}, video="plate"),
            ),
            "2 FileOutput",
        ),
    ],
)
def test_an_output_that_could_mean_several_things_is_refused(graph, word):
    with pytest.raises(BridgeError, match=word) as caught:
        graphs.with_output(graph, "x.mp4")
    assert caught.value.code == "usage"


def test_a_parameter_is_set_on_a_node_that_exists():
    graph = blur(soft=graphs.node("Blur", {"size": 2}, video="plate"))
    assert graphs.with_parameter(graph, "soft", "size", 9)["nodes"]["soft"]["params"] == {"size": 9}
    assert graph["nodes"]["soft"]["params"] == {"size": 2}
    with pytest.raises(BridgeError, match="one of its nodes: plate, soft"):
        graphs.with_parameter(graph, "sfot", "size", 9)

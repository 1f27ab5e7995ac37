"""From the fields to the graph, and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from artifexpro.core.nodes import library
from artifexpro.core.project.render import check_graph
from artifexpro.core.protocol import JobRequest
from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.panel import wish
from artifexpro.hosts.panel.choices import TASKS
from artifexpro.hosts.panel.wish import Extension, Wish
from tests.hosts.model import MODEL

FOX = Wish(prompt="a red fox", task="t2v", model=MODEL, seed=7, frames=5)


def full(task: str, folder: Path) -> Wish:
    """A wish of this task with every file it takes."""
    media = {medium.socket: str(folder / f"{medium.socket}.png") for medium in TASKS[task].media}
    return replace(FOX, task=task, media=media, avoid="text", size=(128, 96), steps=2, profile="Speed", exr=True)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_a_graph_that_the_library_knows(task, tmp_path):
    document = full(task, tmp_path).document()
    known = {node.__name__: node for node in library()}
    assert TASKS[task].generator in {node["type"] for node in document["nodes"].values()}
    for node in document["nodes"].values():
        assert set(node["params"]) <= set(known[node["type"]].model_fields)
        assert set(node["inputs"]) <= {socket.name for socket in known[node["type"]].inputs}
    assert {medium.socket for medium in TASKS[task].media} == set(document["nodes"]["clip"]["inputs"])


@pytest.mark.parametrize("task", TASKS)
def test_a_clips_settings_come_back_into_the_fields(task, tmp_path):
    wanted = full(task, tmp_path)
    assert wish.wish_of(wanted.document(), "fox") == wanted


def test_what_is_left_open_is_not_in_the_graph():
    params = FOX.document()["nodes"]["clip"]["params"]
    assert not {"width", "height", "steps", "negative_prompt", "profile", "extend"} & set(params)


def test_an_extended_prompt_travels_with_what_was_written():
    words = Extension("a red fox", "a red fox in deep snow", "rules", 3, "t2v")
    taken = replace(FOX, prompt=words.extended, extension=words)
    assert taken.params() | {"prompt": "a red fox", "extend": "rules", "extend_seed": 3} == taken.params()
    edited = replace(taken, prompt="a red fox in deep snow, at night")
    assert edited.params()["prompt"] == edited.prompt and "extend" not in edited.params()
    other_task = replace(taken, task="ti2v")
    assert other_task.params()["prompt"] == words.extended and "extend" not in other_task.params()
    back = wish.wish_of(taken.document(), "fox")
    assert back.prompt == "a red fox" and back.extension == Extension("a red fox", "", "rules", 3, "t2v")


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        (replace(FOX, prompt="  "), "the prompt is empty"),
        (replace(FOX, task="i2v"), "no file is chosen for “First picture”"),
        (replace(FOX, task="edit", media={"video": "/a.mp4"}), "no file is chosen for “Mask”"),
    ],
)
def test_what_is_missing_is_named(gap, said):
    with pytest.raises(BridgeError, match=said):
        gap.refuse_gaps()


def test_the_place_and_its_folder_are_frozen_in_the_request():
    place = {"output": "/shots/010", "node": "Wan1", "target": {"host": "nuke", "document": "shot.nk"}}
    job = wish.job_for(FOX.document(), "A red fox!", place, {"name": "test"})
    place["node"] = "Wan2"
    assert job.place["node"] == "Wan1"
    assert Path(job.request["output"]) == Path("/shots/010") / f"a-red-fox-{job.key[:8]}"
    assert job.request["target"] == {"host": "nuke", "document": "shot.nk"} and job.request["key"] == job.key


def test_again_is_the_same_graph_and_vary_only_another_seed():
    document = FOX.document()
    assert wish.once_more(document, "fox") == document
    varied = wish.once_more(document, "fox", seed=8)
    assert varied["nodes"]["clip"]["params"].pop("seed") == 8
    assert document["nodes"]["clip"]["params"]["seed"] == 7
    assert wish.another_seed(7) != 7


@pytest.mark.parametrize("path", ["/shots/comp.mp4", "C:\\shots\\comp.mp4", "\\\\server\\comp.mp4"])
def test_again_never_writes_over_what_is_there(path):
    document = FOX.document()
    document["nodes"]["movie"]["params"]["path"] = path
    with pytest.raises(BridgeError, match="the first result would be lost"):
        wish.once_more(document, "fox")


@pytest.mark.parametrize(
    ("params", "said"),
    [({"guidance": 3.0}, "settings that this panel does not show: guidance"), ({"seed": 2**40}, "larger than")],
)
def test_settings_that_the_fields_cannot_show_are_not_dropped(params, said):
    document = FOX.document()
    document["nodes"]["clip"]["params"] |= params
    with pytest.raises(BridgeError, match=said):
        wish.wish_of(document, "fox")


def test_a_graph_of_two_generators_is_not_forced_into_one():
    document = FOX.document()
    document["nodes"]["second"] = document["nodes"]["clip"]
    with pytest.raises(BridgeError, match="more than one clip"):
        wish.wish_of(document, "fox")


def test_the_request_is_one_that_the_daemon_admits(tmp_path):
    job = wish.job_for(replace(FOX, exr=True).document(), "fox", {"output": str(tmp_path)}, {"name": "test"})
    plan = check_graph(JobRequest.model_validate(job.request), tmp_path)
    written = {plan.steps[sink].node.path for sink in plan.sinks()}
    assert written == {"clip.mp4", "poster.png", "frames/frame.%04d.exr"}

"""Which task the files given to `generate` ask for, and what is wrong use."""

from __future__ import annotations

from pathlib import Path

import pytest

from artifexpro.core.nodes import library
from artifexpro.core.wan22.catalogue import CATALOGUE
from artifexpro.hosts.terminal.output import WrongUse
from artifexpro.hosts.terminal.tasks import TASKS, likely, media, settings


def test_every_task_names_a_node_and_its_inputs():
    for name, task in TASKS.items():
        node = library().get(task.generator)
        assert node is not None
        assert node.task == name
        assert set(task.sockets.values()) == {socket.name for socket in node.inputs}
        required = {socket.name for socket in node.inputs if not socket.optional}
        assert {task.sockets[option] for option in task.needs} == required
        assert task.style == ("style_preset" in node.model_fields)


@pytest.mark.parametrize(
    ("given", "model", "task"),
    [
        ((), None, "ti2v"),
        (("image",), None, "ti2v"),
        (("image",), "i2v-A14B", "i2v"),
        (("image", "last-image"), None, "i2v"),
        (("image", "video"), None, "i2v"),
        (("video",), None, "style"),
        (("image", "audio"), None, "s2v"),
        (("image", "audio", "video"), "s2v-14B", "s2v"),
        (("video",), "t2v-A14B", "style"),
        (("video", "mask"), None, "edit"),
        (("video", "mask", "image"), "vace-A14B", "edit"),
        (("video", "image"), "vace-A14B", "edit"),
        (("mask",), "t2v-A14B", "edit"),
    ],
)
def test_the_likely_task(given, model, task):
    able = None if model is None else CATALOGUE[model].tasks
    assert likely(given, able) == task


@pytest.mark.parametrize(
    ("task", "options", "because"),
    [
        ("t2v", ["image"], "takes no --image: it takes no file"),
        ("ti2v", ["last-image"], "takes no --last-image: it takes --image"),
        ("style", ["video", "mask"], "takes no --mask"),
        ("i2v", [], "needs --image"),
        ("style", [], "needs --video"),
        ("s2v", ["image"], "needs --audio"),
        ("s2v", ["audio"], "needs --image"),
        ("s2v", ["audio", "image", "mask"], "takes no --mask"),
        ("t2v", ["audio"], "takes no --audio"),
        ("edit", ["video"], "needs --mask"),
        ("edit", ["mask"], "needs --video"),
    ],
)
def test_files_a_task_does_not_take_or_lacks_are_wrong_use(task, options, because, tmp_path):
    file = tmp_path / "there.png"
    file.write_bytes(b"")
    with pytest.raises(WrongUse, match=because):
        media(task, dict.fromkeys(options, file))


def test_a_file_that_is_not_there_is_wrong_use_and_a_pattern_is_left_to_the_daemon(tmp_path):
    with pytest.raises(WrongUse, match="there is no such file"):
        media("style", {"video": tmp_path / "plate.mov"})
    assert media("style", {"video": tmp_path / "plate.%04d.exr"}) == {"video": str(tmp_path / "plate.%04d.exr")}


def test_strength_and_style_go_where_they_act():
    guide = {"image": Path("a"), "video": Path("b")}
    assert settings("style", "anime", 0.6, {}) == {"style_preset": "anime", "strength": 0.6}
    assert settings("i2v", None, 0.9, guide) == {"motion": 0.1}
    assert settings("t2v", "anime", None, {}) == {"style_preset": "anime"}
    assert settings("t2v", "anime", None, {}, 0.4) == {"style_preset": "anime", "style_strength": 0.4}
    with pytest.raises(WrongUse, match="--style NAME says which"):
        settings("t2v", None, None, {}, 0.4)
    for task, style, strength in (("i2v", None, 0.9), ("edit", None, 0.5), ("t2v", None, 0.5), ("edit", "anime", None)):
        with pytest.raises(WrongUse, match="takes no"):
            settings(task, style, strength, {})

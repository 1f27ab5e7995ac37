"""The whole round in the panel's window, by mouse and keyboard events, against a real daemon on a real socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.model import MODEL
from tests.hosts.panel.conftest import PYSIDE2, PYSIDE6, Program


@pytest.fixture(scope="module")
def rounds() -> dict[str, dict[str, Any]]:
    return {}


@pytest.fixture
def seen(qt: Program, rounds, daemon_home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one program saw on its way through `inside.py`; each goes it once."""
    if qt.qt not in rounds:
        folder = tmp_path_factory.mktemp(qt.qt)
        wanted, result = folder / "settings.json", folder / "result.json"
        (folder / "clips").mkdir()
        settings = {"home": str(daemon_home), "kept": str(folder), "folder": str(folder / "clips"), "model": MODEL}
        wanted.write_text(json.dumps(settings))
        qt.run("inside.py", str(wanted), str(result))
        rounds[qt.qt] = json.loads(result.read_text())
    found = rounds[qt.qt]
    assert "crashed" not in found, found["crashed"]
    assert found["qt"] == qt.qt
    return found


both = pytest.mark.parametrize("qt", [PYSIDE6, pytest.param(PYSIDE2, marks=pytest.mark.nightly)], indirect=True)


@both
def test_an_empty_prompt_is_a_sentence_and_the_keyboard_goes_there(seen):
    told = seen["refused_at_once"]
    assert told["told"] == (
        "Attempted to make a clip. Failed because the prompt is empty. Try a few words on what should be seen."
    )
    assert told["focus"] and told["jobs"] == 0


@both
def test_the_cost_or_the_refusal_is_there_before_generate(seen):
    told = seen["fields"]
    assert told["shown"] == told["refusal"] and "4 frames" in told["refusal"] and "Try" in told["refusal"]
    assert told["cost"]["disk"] == "up to 590 kB" and told["cost"]["memory"].endswith("GB")
    assert told["basis"]


@both
def test_the_keyboard_reaches_every_field_in_the_order_of_the_page(seen):
    assert seen["tab_order"]["order"] == [
        *("extend", "avoid", "task", "model", "preset-Draft", "profile-none", "size", "frames", "width", "height"),
        *("seed", "steps", "new-seed", "exr", "generate"),
    ]


@both
def test_a_prompt_is_extended_only_after_it_was_shown_what_changes(seen):
    told = seen["extended"]
    assert told["original"] == "a red fox" == told["undone"]
    assert told["extended"] == told["made"] == told["taken"] == told["again"] != "a red fox"
    assert told["difference"]["plain"] == told["made"]
    assert "text-decoration: underline" in told["difference"]["html"] and told["hidden"]


@both
def test_a_clip_arrives_in_its_folder_with_both_texts_in_its_recipe(seen):
    told = seen["made"]
    assert told["bar"] and told["there"] and told["state"] == "Done"
    assert told["message"] == f"In {Path(told['clip']).parent}"
    assert told["files"] == ["clip.mp4", "clip.recipe.json", "poster.png"]
    assert told["recipe"]["original"] == "a red fox" and told["recipe"]["method"] == "rules"
    assert f"Extended: {seen['extended']['made']}" in told["notes"]


@both
def test_again_is_the_equal_clip_and_vary_seed_another_in_folders_of_their_own(seen):
    told = seen["again_and_vary"]
    assert told["keys"] == told["clips"] == 3
    assert told["equal"] and told["varied"] and told["seed"] != 7
    assert [Path(command[-1]) for command in told["revealed"]] == [Path(seen["made"]["clip"]).parent]


@both
def test_a_dropped_picture_is_taken_and_anything_else_refused_in_the_field(seen):
    told = seen["dropped_and_cancelled"]
    assert told["refused"].startswith("notes.txt is no picture.") and "2 were dropped" in told["two"]
    assert Path(told["path"]).name == "first.png" and told["source"] == told["path"] and told["emptied"]


@both
def test_a_running_clip_shows_its_picture_and_is_cancelled(seen):
    told = seen["dropped_and_cancelled"]
    assert told["progress"].startswith("Denoise · ")
    assert told["asked"] == "Stops before its next step" and told["state"] == "Cancelled"


@both
def test_the_history_is_searched_and_its_settings_are_taken_over(seen):
    told = seen["searched"]
    assert told["in_search"] and 0 < told["found"] < told["whole"]
    assert told["count"] == f"{told['found']} of {told['whole']} clips have these words."
    assert told["nothing"] == "No clip has these words."
    assert told["wish"] == {"prompt": "a red fox", "size": [128, 96], "frames": 5, "task": "t2v"}
    assert told["extension"] == seen["extended"]["made"]


@both
def test_the_panel_goes_on_while_the_daemon_stands_still(seen):
    """Every question waits for an answer meanwhile: a panel that waited too would not get through its ticks."""
    told = seen["frozen"]
    assert told["ticks"] == 60 and told["state"] == "waiting" and told["after"] == "delivered"


@both
def test_a_clip_that_was_running_when_the_window_closed_arrives_in_the_next(seen):
    told = seen["closed_meanwhile"]
    assert told["was"] in ("queued", "running") and told["shown"] == "Done" and told["left"] == 0

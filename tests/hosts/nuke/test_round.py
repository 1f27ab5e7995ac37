"""The main job of the Nuke adapter: a Wan node under a plate and a roto, through a real daemon over a real socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import OpenImageIO as oiio
import pytest

HALF = 2.0**-11
"""Largest relative error of rounding to half float."""


@pytest.fixture(scope="module")
def told(each_nuke: Any) -> dict[str, Any]:
    found: dict[str, Any] = each_nuke.act("the_round")
    print(found["took"])
    return found


def near(one: list[float], other: list[float], by: float = HALF) -> bool:
    return all(abs(a - b) <= by * max(1.0, abs(b)) for a, b in zip(one, other, strict=True))


def test_the_result_lies_in_the_read_inside_with_its_handles(told):
    one = told["one"]
    assert [one["versions"], one["version"]] == [["v001"], "v001"]
    assert [one["first"], one["last"]] == [999, 1007]
    assert Path(one["file"] % 999).is_file() and Path(one["file"] % 1007).is_file()
    assert Path(one["file"]).parent == Path(told["script"]).parent / "artifexpro" / "Wan1" / "v001"
    assert one["premultiplied"] and not one["raw"] and one["colorspace"] == "linear"
    assert one["status"].startswith("v001 has frames 999 to 1007.")
    assert told["target"]["handles"] == 2 and told["target"]["frame"] == 999


def test_the_patch_is_multiplied_by_the_roto_and_lies_over_the_plate(told):
    assert told["patch"]["inside"][3] == 1.0 and told["patch"]["inside"] != told["plain"]["inside"]
    assert told["patch"]["outside"] == [0.0, 0.0, 0.0, 0.0]
    assert told["over"]["inside"] == told["patch"]["inside"]
    for place in ("outside", "lamp", "half"):
        assert told["over"][place] == told["plain"][place]
    assert max(told["over"]["lamp"]) == pytest.approx(11.7)


def test_the_file_is_a_half_float_exr_with_alpha_and_the_recipe(told):
    picture = oiio.ImageBuf(told["one"]["file"] % 1001)
    spec = picture.spec()
    assert spec.format == oiio.HALF and spec.channelnames == ("R", "G", "B", "A")
    assert spec.getattribute("colorInteropID") == "lin_rec709_scene"
    assert len(spec.getattribute("chromaticities")) == 8
    recipe = json.loads(told["one"]["metadata"]["exr/artifexpro:recipe"])
    assert recipe["graph"]["nodes"]["result"]["type"] == "MaskedEdit"
    assert recipe["graph"]["nodes"]["result"]["params"]["prompt"] == told["prompt"][0]


def test_any_prompt_arrives_as_it_was_typed(told):
    typed = 'a "red" {kite} [in] the $wind, 雨\nover \\ water'
    assert told["prompt"] == [typed, typed]


def test_plates_are_rendered_once_and_versions_go_up(told):
    assert told["rendered"] == [18, 0]
    assert told["two"]["versions"] == ["v001", "v002"] and told["two"]["version"] == "v002"
    assert told["two"]["file"] != told["one"]["file"]
    assert told["two"]["name"] == "Renamed", "renaming the node meanwhile loses nothing"
    assert told["back"]["version"] == "v001" and told["back"]["file"] == told["one"]["file"]


def test_one_is_cancelled_and_none_arrives_twice(told):
    states = {job["title"]: job["state"] for job in told["jobs"]}
    assert states == {"Wan1 v001": "delivered", "Wan1 v002": "delivered", "Renamed v003": "cancelled"}
    assert told["delivered_twice"] == ["v001", "v002"]


def test_undo_takes_a_delivery_back_as_one_step_for_good(told):
    assert told["undone"] == ["ArtifexPro Wan1 v002", [1], told["one"]["file"]]


def test_a_bar_shows_each_job_and_goes(told):
    assert {name for name, _, _ in told["bars"]} == {"ArtifexPro Wan1 v001"}
    assert told["bars_after"] == []


def test_the_script_is_left_as_it_was_but_for_the_node(told):
    assert not [name for name in told["nodes"] if name.startswith("Write")]


def test_it_opens_and_renders_without_daemon_and_without_us(each_nuke, told):
    again = each_nuke.act("reopen", installed=False, script=told["script"])
    assert again["ours"] == [] and again["error"] is False
    assert again["made"] == [f"final.{frame}.exr" for frame in range(1001, 1006)]
    assert near(again["pixel"], told["plain"]["lamp"])
    assert len(again["dialogs"]) == 1 and "ArtifexPro is not installed in this Nuke" in again["dialogs"][0]

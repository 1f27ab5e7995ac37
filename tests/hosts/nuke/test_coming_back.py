"""What finished while the script was closed is offered at the next start; copies and renders disturb nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest

from artifexpro.hosts.bridge.client import Client

PATIENCE = 300.0


@pytest.fixture(scope="module")
def left(newest, tmp_path_factory) -> tuple[Any, dict[str, Any]]:
    nuke = newest(tmp_path_factory.mktemp("left"))
    told = nuke.act("leave")
    with Client(nuke.home) as client:
        until = time.monotonic() + PATIENCE
        while client.request("job.show", {"job": told["job"]})[0]["state"] != "finished":
            assert time.monotonic() < until, "the job never finished"
            time.sleep(0.1)
    return nuke, told


def test_declined_it_waits_as_a_version(left):
    nuke, told = left
    assert told["versions"] == ["none yet"]
    back = nuke.act("come_back", script=told["script"], answer=False)
    assert [job["state"] for job in back["opened"]] != ["delivered"]
    assert len(back["dialogs"]) == 1
    assert back["dialogs"][0] == "Finished while this script was closed: Wan1 v001. Show it now?"
    assert back["after"]["versions"] == ["v001"] and back["after"]["file"] == ""
    assert back["chosen"]["file"].endswith("Wan1_v001.%04d.exr") and back["chosen"]["width"] == 64


def test_accepted_it_is_in_place_once(left):
    nuke, told = left
    back = nuke.act("come_back", script=told["script"], answer=True, save=True)
    assert back["after"]["version"] == "v001" and back["after"]["file"].endswith("Wan1_v001.%04d.exr")
    assert [job["state"] for job in back["jobs"]] == ["delivered"]
    again = nuke.act("come_back", script=told["script"], answer=True)
    assert again["dialogs"] == [] and again["after"]["versions"] == ["v001"]


def test_a_copy_is_another_node(nuke):
    told = nuke.act("pasted")
    assert told["names"] == ["Wan1", "Wan2"] and told["ids"][0] != told["ids"][1]
    assert told["versions"] == [["v001"], ["none yet"]]


def test_nothing_re_enters(nuke):
    told = nuke.act("in_a_render")
    assert told["inner"] == [0] and told["during"] == 0
    assert told["jobs"][0]["state"] == "delivered"


def test_terminal_mode_waits_and_opens_no_dialog(nuke):
    told = nuke.act("in_terminal", terminal=True, fps=23.976)
    assert told["threads"] == [] and told["dialogs"] == []
    assert "needs a plate" in told["refusal"] and told["refusal"] in told["said"]
    assert told["sentence"].startswith("v001 has frames 1 to 5.")
    assert "It was made for 24 frames a second and plays at the script's 23.976." in told["sentence"]
    assert told["seen"]["file"].endswith("Wan1_v001.%04d.exr")
    assert "Attempted to" in told["failure"] and "Wan1 v001: delivered" in told["said"]

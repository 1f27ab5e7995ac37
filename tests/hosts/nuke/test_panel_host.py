"""What Nuke gives to the panel, without Qt; and the panel in a pane, with the Qt that Nuke 15 has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import OpenImageIO as oiio
import PyOpenColorIO as ocio
import pytest

from tests.hosts.nuke.conftest import Nuke, python_of

CONFIG = "ocio://cg-config-v1.0.0_aces-v1.3_ocio-v2.1"


@pytest.fixture(scope="module")
def told(newest, tmp_path_factory) -> dict[str, Any]:
    found: dict[str, Any] = newest(tmp_path_factory.mktemp("panel")).act("panel_host")
    return found


def test_the_panel_is_registered_and_not_loaded(told):
    name, widget = told["registered"]["com.artifexpro.panel"]
    assert name == "ArtifexPro"
    assert compile(widget, "panel", "eval"), "Nuke evaluates it when the panel is opened"


def test_a_script_that_was_never_saved_has_no_place(told):
    assert "the script was never saved" in told["unsaved"]


@pytest.mark.parametrize("name", ["nukes", "aces"])
def test_a_clip_lands_once_where_it_was_asked_for(told, name):
    made = told[name]
    assert made["place"]["frame"] == 1003 and made["place"]["frames"] is True
    assert made["at"] == made["place"]["at"]
    assert made["reads"] == 2, "the plate and the clip"
    assert made["sentences"][0].startswith("Read1 has frames 1001 to 1005.")
    assert made["sentences"][1] == "Read1 has it already."
    assert "is open. Try opening" in made["elsewhere"]


@pytest.mark.parametrize("name", ["nukes", "aces"])
def test_the_picture_is_what_the_selected_node_shows(told, name):
    picture = oiio.ImageBuf(told[name]["picture"])
    assert picture.getpixel(12, 51)[0] == pytest.approx(11.7, rel=1e-3)
    assert Path(told[name]["picture"]).name == "plate.1003.exr"


@pytest.mark.parametrize(("name", "working"), [("nukes", "Linear Rec.709 (sRGB)"), ("aces", "ACEScg")])
def test_the_clip_is_in_the_scripts_working_space(told, name, working):
    """By a matrix where Nuke manages colour itself, by the project's config else; OpenColorIO is the oracle."""
    made = told[name]
    written = list(oiio.ImageBuf(made["file"] % 1001).getpixel(20, 43)[:3])
    config = ocio.Config.CreateFromBuiltinConfig(CONFIG)
    wanted = config.getProcessor("ACEScg", working).getDefaultCPUProcessor().applyRGB(written)
    assert made["pixel"][:3] == pytest.approx(wanted, abs=2e-5)


def test_the_panel_is_opened_in_a_pane_and_its_clip_becomes_a_read(plugin, daemon_home, tmp_path):
    told = Nuke("3.10", python_of("3.10"), plugin, tmp_path, daemon_home).act("docked")
    assert (told["qt"], told["name"], told["offers"]) == ("PySide2", "ArtifexPro", "Nuke")
    assert told["notice"] == "" and told["beside"] is False
    assert told["job"]["state"] == "delivered", told["job"]["message"]
    assert told["job"]["message"].startswith("Read1 has frames 1001 to 1005.")
    assert told["read"]["count"] == told["asked"] == 1 and told["read"]["at"] == told["job"]["place"]["at"]
    assert Path(told["read"]["file"] % 1001).is_file()
    assert told["kept"] == [told["key"]]
    assert told["again"] == [[told["key"], "delivered"]], "its jobs are there again"
    assert told["files"] == ["nuke-1.json"], "a pane that is gone keeps no file from the next"

"""Bad input gets a sentence in Nuke's own way, and leaves nothing half done."""

from __future__ import annotations

import re
from typing import Any

import PyOpenColorIO as ocio
import pytest

SENTENCE = re.compile(r"Attempted to .+\. Failed because .+\. Try .+\.", re.DOTALL)
EXPECTED = {
    "unsaved": "the script was never saved",
    "range": "its last frame 990 comes before its first, 1001",
    "handles": "it has -1 handles",
    "short plate": "Plate1 has frames 999 to 1011, and 961 to 1045 are needed",
    "roto in text": "a plate is connected, and the task text takes none",
    "strange setting": "strength is set to 0.3, and the task mask has no such setting",
    "seed in words": 'seed is "seven", which is not a whole number',
    "moving steps": "steps moves between frames 999 and 1007, and a clip has one steps",
    "moving choice": "preset moves between frames 999 and 1007, and a clip has one preset",
    "broken expression": "the expression on guidance cannot be evaluated",
    "no roto": "the task mask needs a roto",
    "roto without alpha": "Constant2 on the input roto has no alpha",
    "roto of another size": "the roto is 128 x 64 pixels and the plate 64 x 64",
    "proxy": "Nuke is in proxy mode",
    "no rate": "the script has no frame rate",
    "no frames": "Plate1 on the input plate is in error",
    "a frame is missing": "plate.1003.exr: No such file or directory",
    "no config": "no-config.ocio cannot be read",
    "poor config": "has neither ACEScg nor Linear Rec.709 (sRGB)",
}


@pytest.fixture(scope="module")
def bad(newest, tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("bad")
    poor = folder / "poor.ocio"
    config = ocio.Config.CreateRaw()
    poor.write_text(config.serialize())
    found: dict[str, Any] = newest(folder).act("bad_input", poor_config=str(poor))
    return found


@pytest.mark.parametrize("case", EXPECTED)
def test_each_is_refused_with_its_reason(bad, case):
    told = bad["told"][case]
    assert EXPECTED[case] in told["sentence"]
    assert SENTENCE.fullmatch(told["sentence"]), told["sentence"]
    assert told["dialog"] == told["sentence"], "the artist sees it"
    assert told["jobs"] == 0 and told["nodes"] == 0


def test_every_case_is_looked_at(bad):
    assert set(bad["told"]) == set(EXPECTED)


def test_nothing_is_left_half_done(bad):
    assert bad["writes"] == []
    assert [name for name in bad["left"] if "part/" in name] == []


@pytest.fixture(scope="module")
def vanished(newest, tmp_path_factory) -> dict[str, Any]:
    found: dict[str, Any] = newest(tmp_path_factory.mktemp("vanished")).act("vanished")
    return found


def test_a_result_that_vanished_is_told_and_the_read_is_left_alone(vanished):
    gone = vanished["gone"]
    assert gone["state"] == "failed" and "is not there any more" in gone["message"]
    assert SENTENCE.fullmatch(gone["message"])


def test_a_version_that_vanished_is_not_shown(vanished):
    chosen = vanished["chosen"]
    assert chosen["version"] == "v002" and "v002" in chosen["file"]
    assert "v001" in chosen["dialog"] and SENTENCE.fullmatch(chosen["dialog"])


def test_a_result_whose_node_was_deleted_names_its_files(vanished):
    told = vanished["deleted"]
    assert told["state"] == "failed"
    assert "the node Wan1 was deleted" in told["message"] and "Wan1_v003.%04d.exr" in told["message"]


def test_a_job_waits_where_no_daemon_is_and_says_so(newest, tmp_path, monkeypatch):
    monkeypatch.setenv("ARTIFEXPRO_START_DAEMON", "0")
    (tmp_path / "home").mkdir()
    told = newest(tmp_path, tmp_path / "home").act("no_daemon")
    assert SENTENCE.fullmatch(told["sentence"]) and "daemon" in told["sentence"]
    assert told["waiting"] == "waiting"
    assert told["jobs"][0]["state"] == "cancelled"
    assert told["longest"] < 1.0, "a beat never waits for the daemon"


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("key", "does not know this user's key"),
        ("older", "the daemon is release 0.1.0 with protocol 0"),
        ("newer", "the daemon is release 9.9.9 with protocol 2"),
    ],
)
def test_a_daemon_that_is_not_ours_is_told(newest, tmp_path, monkeypatch, what, says, other_daemon):
    """A wrong key, an older one, a newer one: the job waits, the sentence names what is wrong."""
    monkeypatch.setenv("ARTIFEXPRO_START_DAEMON", "0")
    told = newest(tmp_path, other_daemon(what)).act("no_daemon")
    assert says in told["sentence"] and SENTENCE.fullmatch(told["sentence"])

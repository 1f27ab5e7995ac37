"""The watched folder and the .otio that Resolve imports as it stands: no script takes part."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio
import pytest
from lupa.luajit21 import LuaError

from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.bridge.jobs import JobBook
from artifexpro.hosts.resolve import asking, otio, script, watched
from artifexpro.hosts.resolve import companion as companion_module
from artifexpro.hosts.resolve.hands import ByMail, get, put
from artifexpro.hosts.resolve.otio import Cut
from artifexpro.hosts.resolve.wishes import Wish
from tests.hosts.resolve.conftest import PATIENCE, SMALL
from tests.hosts.resolve.standin import lua

WISH = {**SMALL, "prompt": "a lighthouse, 灯台", "rate": "25", "at": "01:00:02:00", "handles": 2}


@pytest.fixture
def companion(tmp_path: Path, daemon_home: Path) -> Iterator[Path]:
    """The mail folder of a companion in a process of its own; no script was ever there."""
    mail = tmp_path / "mail"
    command = [sys.executable, "-m", "artifexpro.hosts.resolve.companion", "--mail", str(mail)]
    process = subprocess.Popen([*command, "--home", str(daemon_home)])
    try:
        wait(lambda: (mail / "in").is_dir() and get(mail / "companion.json"))
        yield mail
    finally:
        process.kill()
        process.wait()


def wait(done: Any) -> Any:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if value := done():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def drop(mail: Path, name: str, text: str) -> str:
    """A wish in the folder; what was said of it."""
    (mail / name).write_text(text, encoding="utf-8")
    (mail / name).rename(mail / "in" / name)
    said = mail / "read" / f"{name}.said"
    wait(lambda: said.exists() and said.stat().st_size)
    return said.read_text(encoding="utf-8")


def test_a_wish_in_the_folder_becomes_a_timeline_that_resolve_imports(companion: Path, make_host: Any) -> None:
    assert "It will be in" in drop(companion, "lighthouse.json", json.dumps(WISH))
    made = companion / "out" / "lighthouse" / "lighthouse.otio"
    wait(made.exists)
    host = make_host()
    pool = host.scriptapp("Lua").GetProjectManager().GetCurrentProject().GetMediaPool()
    timeline = pool.ImportTimelineFromFile(str(made), {"timelineName": "from the folder"})
    assert timeline.GetStartTimecode() == "01:00:00:00"
    (item,) = timeline.GetItemListInTrack("video", 1)
    assert (item.GetStart(), item.GetDuration(), item.GetLeftOffset()) == (90000 + 50, 5, 2)
    assert item.GetMediaPoolItem().GetClipProperty("Frames") == "9"
    assert pool.ImportTimelineFromFile(str(made), {"timelineName": "from the folder"}) is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("empty.txt", "  \n", "the prompt is empty"),
        ("broken.json", '{"prompt": ', "is not readable as text"),
        ("list.json", "[1]", "is no table of names and values"),
        ("odd.json", '{"prompt": "a", "colour": "red"}', "wishes have no colour"),
        ("when.json", '{"prompt": "a", "at": "soon"}', "soon is no timecode"),
        ("early.json", '{"prompt": "a", "at": "00:59:00:00"}', "is before the timeline's start"),
    ],
)
def test_what_cannot_be_asked_for_gets_a_sentence_beside_it(tmp_path: Path, name: str, text: str, said: str) -> None:
    watched.make(tmp_path)
    (tmp_path / "in" / name).write_text(text)
    book = JobBook()

    def ask(wish: Wish, folder: Path) -> str:
        return asking.ask_file(book, wish.checked(), {}, folder, "files").title

    (told,) = watched.take_wishes(tmp_path, ask)
    assert said in told and told.startswith("Attempted to") and len(book) == 0
    assert (tmp_path / "read" / f"{name}.said").read_text().strip() == told
    assert list(watched.take_wishes(tmp_path, ask)) == []


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001)])
def test_the_file_is_what_opentimelineio_reads(tmp_path: Path, rate: Fraction) -> None:
    cut = Cut("Ñame", tmp_path / "a b.mov", 49, 4, 41, Fraction(24), 2, 90050, rate, 90000, "j1")
    otio.write(tmp_path / "edit.otio", cut)
    timeline = opentimelineio.adapters.read_from_file(str(tmp_path / "edit.otio"))
    clip = timeline.video_tracks()[1].find_clips()[0]
    place = clip.transformed_time_range(clip.source_range, timeline.tracks)
    assert clip.name == "Ñame" and clip.media_reference.target_url == (tmp_path / "a b.mov").as_posix()
    assert timeline.global_start_time.value == 90000 and timeline.global_start_time.rate == float(rate)
    assert place.start_time.rescaled_to(float(rate)).value == pytest.approx(50)
    assert (clip.source_range.start_time.value, clip.source_range.duration.value) == (4, 41)
    assert clip.media_reference.available_range.duration.value == 49
    assert clip.markers[0].metadata["artifexpro"]["job"] == "j1"


def test_one_companion_looks_after_a_folder(companion: Path) -> None:
    command = [sys.executable, "-m", "artifexpro.hosts.resolve.companion", "--mail", str(companion)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "looks after this folder already" in done.stdout


def test_orders_nobody_answers_are_taken_away_and_told(tmp_path: Path) -> None:
    mail = ByMail(tmp_path, patience=0.2)
    with pytest.raises(BridgeError, match="the script in it is not running"):
        mail.do("look")
    put(tmp_path / "hands.json", {"time": int(time.time())})
    with pytest.raises(BridgeError, match="did not answer within 0 seconds"):
        mail.do("look")
    assert list((tmp_path / "orders").iterdir()) == []
    assert get(tmp_path / "companion.json")["next"] == 2


def test_a_file_that_is_still_being_written_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    put(file, {"a": "é"})
    assert get(file) == {"a": "é"}
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert get(file) is None


def test_the_script_is_one_file_for_any_folder(tmp_path: Path) -> None:
    folder = tmp_path / 'odd "name" ü \\ x'
    for text in (script.menu(folder, "/py thon", tmp_path), script.console(folder, "", tmp_path)):
        assert "@FOLDER@" not in text and "require" not in text and "dofile" not in text
    assert script.menu(folder, "", tmp_path).endswith("artifexpro.work()\n")


def test_a_companion_without_work_ends_and_says_so(tmp_path: Path) -> None:
    arguments = ["--mail", str(tmp_path / "mail"), "--home", str(tmp_path), "--linger", "0.2"]
    assert companion_module.main(arguments) == 0
    assert get(tmp_path / "mail" / "companion.json")["time"] == 0


def test_no_two_wishes_share_a_name(tmp_path: Path, make_host: Any) -> None:
    (tmp_path / "wishes").mkdir()
    runtime = lua.runtime(make_host().scriptapp("Lua"))
    table = runtime.execute(script.console(tmp_path, "", tmp_path))
    assert len({table.wish(runtime.table_from({"prompt": "a"})) for _ in range(200)}) == 200


def test_a_script_that_may_start_nothing_says_what_to_type(tmp_path: Path, make_host: Any) -> None:
    runtime = lua.runtime(make_host().scriptapp("Lua"))
    runtime.execute("os.execute = nil; print = function(text) said = text end")
    table = runtime.execute(script.console(tmp_path, sys.executable, tmp_path))
    table.work(0)
    said = runtime.globals().said
    assert said.startswith("Attempted to start ArtifexPro's companion. Failed because")
    assert f'python -m artifexpro.hosts.resolve.companion --mail "{tmp_path}"' in said


def test_the_menus_script_ends_when_it_is_told_to(tmp_path: Path, make_host: Any) -> None:
    for name in ("orders", "answers", "wishes", "replies"):
        (tmp_path / name).mkdir()
    put(tmp_path / "companion.json", {"time": int(time.time()), "session": "s", "next": 1})
    (tmp_path / "artifexpro.stop").touch()
    lua.runtime(make_host().scriptapp("Lua")).execute(script.menu(tmp_path, "", tmp_path))
    assert not (tmp_path / "artifexpro.stop").exists()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, make_host: Any) -> None:
    runtime = lua.runtime(make_host().scriptapp("Lua"))
    table = runtime.execute(script.console(tmp_path / "gone", "", tmp_path))
    with pytest.raises(LuaError, match="Attempted to write to ArtifexPro's folder"):
        table.wish(runtime.table_from({"prompt": "a"}))

"""The panel beside Resolve: what the menu's entry starts, in both editions, to the clip on the timeline.

The script runs in a real LuaJIT in the stand-in, and starts a real process with a real window, without a screen.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.resolve import beside, script
from artifexpro.hosts.resolve.hands import ByMail, Direct, get, put, served
from tests.hosts.model import MODEL
from tests.hosts.resolve.conftest import PATIENCE
from tests.hosts.resolve.standin import lua, remote
from tests.hosts.resolve.standin.host import FREE, STUDIO, StandIn

START = 86400
WISH = {
    "prompt": "a red kite over the sea",
    "task": "t2v",
    "model": MODEL,
    "size": [128, 96],
    "frames": 5,
    "seed": 1,
    "steps": 2,
}
DRIVER = Path(__file__).with_name("driving.py")


@pytest.fixture
def beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Any]]]:
    """Runs the menu's entry in a stand-in, with somebody in front of the panel; what that one saw."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    lines: list[remote.Far] = []

    def run(host: StandIn, home: Path, state: str, daemon: bool) -> dict[str, Any]:
        seen, settings = tmp_path / "seen.json", tmp_path / "settings.json"
        wanted = {"wish": WISH, "state": state, "daemon": daemon, "seen": str(seen), "luts": str(host.luts)}
        settings.write_text(json.dumps(wanted), encoding="utf-8")
        launcher = tmp_path / "a python"
        launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{DRIVER}" "{settings}" "$@" 2>"{tmp_path}/said"\n')
        launcher.chmod(0o755)
        if host.product == STUDIO:
            lines.append(remote.Far(host.scriptapp("Python"), str(tmp_path / "line")))
            monkeypatch.setenv("RESOLVE_SCRIPT_API", str(resolves_module(tmp_path)))
        text = script.panel(tmp_path / "mail 'ü'", str(launcher), home)
        runtime = lua.runtime(host.scriptapp("Lua"))
        (tmp_path / "mail 'ü'").mkdir()
        runtime.execute("print = function(text) said = text end")
        runtime.execute(text)
        until = time.monotonic() + PATIENCE
        while not seen.exists() and time.monotonic() < until:
            assert runtime.globals().said is None, runtime.globals().said
            time.sleep(0.02)
        assert seen.exists(), (tmp_path / "said").read_text()
        while served(tmp_path / "mail 'ü'") and time.monotonic() < until:
            time.sleep(0.02)
        assert get(tmp_path / "mail 'ü'" / "companion.json")["time"] == 0
        found: dict[str, Any] = json.loads(seen.read_text(encoding="utf-8"))
        return found

    yield run
    for line in lines:
        line.close()


def resolves_module(folder: Path) -> Path:
    """As Resolve's own Python module, from another process."""
    (folder / "Modules").mkdir()
    standin = Path(remote.__file__).parent
    (folder / "Modules" / "DaVinciResolveScript.py").write_text(
        f"import sys\nsys.path.append({str(standin)!r})\nimport remote\n\n\n"
        f"def scriptapp(name):\n    return remote.resolve_at({str(folder / 'line')!r})\n"
    )
    return folder


def tracks(host: StandIn) -> list[list[tuple[int, int]]]:
    assert host.project is not None and host.project.edit is not None
    return [[(item.start, item.end) for item in track.items] for track in host.project.edit.video]


@pytest.mark.parametrize("product", [STUDIO, pytest.param(FREE, marks=pytest.mark.nightly)])
def test_a_clip_asked_for_in_the_panel_comes_onto_the_timeline_once(
    product: str, beside_it: Any, make_host: Any, daemon_home: Path
) -> None:
    host = make_host(product=product)
    seen = beside_it(host, daemon_home, "delivered", daemon=True)
    assert seen["state"] == "delivered" and "On V1 at 01:00:00:00." in seen["message"], seen
    assert tracks(host) == [[(START, START + 5)], []]
    assert [name for name, _ in host.calls].count("MediaPool.AppendToTimeline") == 1
    assert (seen["title"], seen["from"]) == ("ArtifexPro in Resolve", "Resolve")


@pytest.mark.parametrize("product", [STUDIO, FREE])
def test_the_place_is_taken_from_the_open_timeline(
    product: str, beside_it: Any, make_host: Any, tmp_path: Path
) -> None:
    """No daemon: the job waits, its place frozen and kept."""
    host = make_host(product=product)
    host.project.edit.playhead = START + 50
    seen = beside_it(host, tmp_path / "home", "waiting", daemon=False)
    assert seen["notice"] == "" and seen["jobs"] == 1
    assert (seen["place"]["record"], seen["place"]["track"]) == (START + 50, 1)
    (kept,) = json.loads((tmp_path / "home" / "panel" / "resolve-1.json").read_text(encoding="utf-8"))
    assert kept["place"] == seen["place"]


def test_where_no_timeline_is_open_it_is_said_in_the_panel(beside_it: Any, make_host: Any, tmp_path: Path) -> None:
    host = make_host()
    host.project.current = -1
    seen = beside_it(host, tmp_path / "home", "waiting", daemon=False)
    assert "the project has no timeline open" in seen["notice"] and seen["jobs"] == 0


# ---------------------------------------------------------------------------- what is in the way


def opened(host: StandIn, mail: Path, python: str, home: Path, before: str = "") -> str:
    """What the script says in Resolve's Console."""
    runtime = lua.runtime(host.scriptapp("Lua"))
    runtime.execute(f"print = function(text) said = text end\n{before}")
    runtime.execute(script.panel(mail, python, home))
    return str(runtime.globals().said or "")


def test_without_qt_resolves_console_has_the_sentence(tmp_path: Path, make_host: Any) -> None:
    launcher = tmp_path / "python"
    code = "import sys; sys.modules['qtpy'] = None; from artifexpro.hosts.resolve import beside"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}; beside.main(sys.argv[3:])" "$@"\n')
    launcher.chmod(0o755)
    for _ in range(2):
        said = opened(make_host(name=f"film {time.time()}"), tmp_path / "mail", str(launcher), tmp_path / "home")
        assert said.startswith("ArtifexPro: Attempted to open the panel. Failed because Qt for Python is not there")
        assert "installers/bootstrap.py panel" in said
    assert not served(tmp_path / "mail")


@pytest.mark.parametrize(("product", "more"), [(STUDIO, " --studio"), (FREE, "")])
def test_where_no_program_may_be_started_it_says_what_to_type(
    product: str, more: str, tmp_path: Path, make_host: Any
) -> None:
    said = opened(make_host(product=product), tmp_path, sys.executable, tmp_path, "os.execute = nil")
    assert said == (
        "Attempted to start ArtifexPro's panel. Failed because this Resolve lets scripts start no programs. Try, in a "
        f'terminal: python -m artifexpro.hosts.resolve.beside --mail "{tmp_path}"{more}'
    )


def test_where_resolve_lets_no_program_in_the_setting_is_named() -> None:
    with pytest.raises(BridgeError, match=r"lets no Python script in.* Try Preferences > System > General in Resolve"):
        Direct(lambda: None, beside.LET_IN).do("look")


def test_one_window_stands_beside_resolve(tmp_path: Path) -> None:
    ByMail(tmp_path)
    before = get(tmp_path / "companion.json")
    command = [sys.executable, "-m", "artifexpro.hosts.resolve.beside", "--mail", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "is open already" in done.stdout
    assert get(tmp_path / "companion.json") == before


def test_the_script_starts_nothing_where_the_window_is_open(tmp_path: Path, make_host: Any) -> None:
    put(tmp_path / "companion.json", {"time": int(time.time()), "session": "s", "next": 1})
    assert opened(make_host(), tmp_path, "/no/such/python", tmp_path) == ""


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    (tmp_path / "home").write_text("")
    mail = tmp_path / "mail"
    assert beside.main(["--mail", str(mail), "--home", str(tmp_path / "home")]) == 1
    told = capsys.readouterr().err
    assert "it cannot keep its jobs" in told and get(mail / "news.json")["trouble"] == told.strip()


def test_its_folder_is_not_the_companions(tmp_path: Path, monkeypatch: Any) -> None:
    from artifexpro.installers import resolve as installer

    monkeypatch.setenv("ARTIFEXPRO_HOME", str(tmp_path / "home"))
    texts = {place.name: files[""].decode() for place, files, _ in installer._parts(tmp_path, {}) if "" in files}
    folders = {name: text.split("local FOLDER = ")[1].split(" --")[0] for name, text in texts.items()}
    assert folders[script.MENU_NAME] == folders[script.CONSOLE_NAME] != folders[script.PANEL_NAME]
    assert 'local PROGRAM = "artifexpro.hosts.resolve.beside"' in texts[script.PANEL_NAME]
    assert texts[script.PANEL_NAME].endswith("artifexpro.panel()\n")

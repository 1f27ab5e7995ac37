"""Putting the Resolve adapter into Resolve's Fusion folder and taking it out again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.nodes import library
from artifexpro.installers import resolve as installer
from tests.hosts.native import lua
from tests.hosts.pythons import RESOLVE

pytest.importorskip("artifexpro.hosts.resolve.script", reason="the script for Resolve's menu is not here yet")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARTIFEXPRO_HOME", str(tmp_path / "home"))
    return tmp_path / "DaVinciResolve" / "Fusion"


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def oks(folder: Path) -> list[bool]:
    return [finding["ok"] for finding in installer.doctor(folder) if finding["name"] != "Qt"]


def test_what_is_installed_is_whole(folder: Path) -> None:
    assert oks(folder) == [False] * 5
    said = installer.install(folder)
    assert sum("goes into" in line for line in said) == 5 and any("Restart Resolve" in line for line in said)
    assert oks(folder) == [True] * 5
    scripts = sorted(path.name for path in (folder / "Scripts" / "Utility").iterdir())
    assert scripts == ["ArtifexPro Console.lua", "ArtifexPro Panel.lua", "ArtifexPro.lua"]
    macros = sorted((folder / "Templates" / "Fusion" / "ArtifexPro").iterdir())
    assert [path.stem for path in macros] == sorted(node.type_name() for node in library())
    for path in macros:
        assert list(lua.LuaJIT().load(path.read_text(encoding="utf-8"))["Tools"].named) == [path.stem]


def test_the_scripts_are_whole_lua_and_knows_this_machine(folder: Path) -> None:
    installer.install(folder)
    for path in (folder / "Scripts" / "Utility").iterdir():
        text = path.read_text(encoding="utf-8")
        assert lua.LuaJIT().compiles(text)
        assert "@PYTHON@" not in text and "@FOLDER@" not in text and "@HOME@" not in text and "@PROGRAM@" not in text
        assert str(folder.parents[1] / "home") in text


@pytest.mark.parametrize("host_python", RESOLVE, indirect=True)
def test_every_python_finds_its_pyzmq_and_the_adapter(host_python: Path, folder: Path) -> None:
    installer.install(folder)
    place, version = folder / "ArtifexPro", host_python.parents[1].name
    code = (
        f"import sys; sys.path[:0] = [{str(place / 'lib' / version)!r}, {str(place)!r}]\n"
        "import zmq\n"
        "from artifexpro_resolve.bridge import line, session\n"
        "from artifexpro_resolve.resolve import macros, identity\n"
        "assert zmq.has('curve') and identity.release() and identity.installers_python()\n"
        "zmq.curve_keypair(); print(zmq.__file__)"
    )
    done = subprocess.run([str(host_python), "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(place / "lib" / version)


def test_installing_twice_changes_nothing_the_second_time(folder: Path) -> None:
    installer.install(folder)
    before = everything(folder)
    assert sum("already" in line for line in installer.install(folder)) == 5
    assert everything(folder) == before


def test_uninstalling_leaves_what_is_not_ours(folder: Path) -> None:
    own = folder / "Scripts" / "Utility" / "own.lua"
    own.parent.mkdir(parents=True)
    own.write_text("")
    installer.install(folder)
    installer.uninstall(folder)
    assert everything(folder) == {"Scripts/Utility/own.lua": b""}
    assert "does not have" in installer.uninstall(folder)[0]


def test_a_dry_run_touches_nothing(folder: Path) -> None:
    assert "dry run" in installer.install(folder, dry_run=True)[-1]
    assert everything(folder) == {}
    installer.install(folder)
    before = everything(folder)
    assert "dry run" in installer.uninstall(folder, dry_run=True)[-1]
    assert everything(folder) == before


@pytest.mark.parametrize(
    "gone",
    [
        "Scripts/Utility/ArtifexPro.lua",
        "Scripts/Utility/ArtifexPro Panel.lua",
        "Templates/Fusion/ArtifexPro/Blur.setting",
        "ArtifexPro/lib/3.12/zmq",
    ],
)
def test_the_doctor_finds_what_is_missing_and_installing_mends_it(gone: str, folder: Path) -> None:
    installer.install(folder)
    path = folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert oks(folder).count(False) == 1
    installer.install(folder)
    assert oks(folder) == [True] * 5


def test_qt_for_the_panel_is_looked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def qt() -> list[bool]:
        return [finding["ok"] for finding in installer.doctor(folder) if finding["name"] == "Qt"]

    monkeypatch.setattr(installer, "find_spec", lambda name: name in ("qtpy", "PySide6"))
    assert qt() == [True] and not any("Qt" in line for line in installer.install(folder))
    monkeypatch.setattr(installer, "find_spec", lambda name: name == "qtpy")
    assert qt() == [False] and "bootstrap.py panel" in installer.install(folder)[-1]


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "Scripts").write_text("a file where a folder should be")
    with pytest.raises(ArtifexError, match=r"Attempted to change .*ArtifexPro\.lua.* Try closing Resolve"):
        installer.install(tmp_path)


@pytest.mark.parametrize(
    ("system", "where"),
    [
        ("Linux", ".local/share/DaVinciResolve/Fusion"),
        ("Darwin", "Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion"),
        ("Windows", "AppData/Roaming/Blackmagic Design/DaVinci Resolve/Support/Fusion"),
    ],
)
def test_resolve_is_found_where_each_system_keeps_it(
    system: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APPDATA", raising=False)
    monkeypatch.setattr(installer.platform, "system", lambda: system)
    monkeypatch.setattr(installer.Path, "home", lambda: tmp_path)
    monkeypatch.setattr(installer, "program_folder", lambda: tmp_path / "no program")
    with pytest.raises(ArtifexError, match="find DaVinci Resolve"):
        installer.install()
    assert [finding["ok"] for finding in installer.doctor()] == [False]
    (tmp_path / where).parent.mkdir(parents=True)
    assert installer.user_folder() == tmp_path / where
    assert all(str(tmp_path / where) in each["said"] for each in installer.doctor() if each["name"] != "Qt")

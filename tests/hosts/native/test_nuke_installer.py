"""Putting the Nuke adapter into a plug-in folder and taking it out again."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.version import VERSION
from artifexpro.installers import folders
from artifexpro.installers import nuke as installer
from tests.hosts.pythons import NUKE

OWN = b'# mine\r\nimport nuke\r\nnuke.pluginAddPath("./tools")\r\n'


@pytest.fixture(autouse=True)
def adapters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The adapters as they are here; where Nuke's start files are not, two that do nothing stand in for them."""
    tree = tmp_path / "adapters"
    shutil.copytree(folders.hosts(), tree, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("init.py", "menu.py"):
        if not (tree / "nuke" / name).exists():
            (tree / "nuke" / name).write_text("")
    monkeypatch.setattr(folders, "hosts", lambda: tree)
    monkeypatch.setattr(installer, "hosts", lambda: tree)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / ".nuke"
    made.mkdir()
    return made


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def oks(folder: Path) -> list[bool]:
    return [finding["ok"] for finding in installer.doctor(folder)]


def test_what_is_installed_is_whole(folder: Path, catalogue: list[dict[str, Any]]) -> None:
    assert oks(folder) == [False, False]
    said = installer.install(folder)
    assert any("goes into" in line for line in said) and "Restart Nuke" in said[-1]
    place = folder / "ArtifexPro"
    assert {"init.py", "menu.py", "lib", "artifexpro_nuke"} == {path.name for path in place.iterdir()}
    assert (folder / "init.py").read_text() == installer._LINES
    assert json.loads((place / "artifexpro_nuke" / "catalogue.json").read_text()) == catalogue
    assert (place / "artifexpro_nuke" / "release.txt").read_text().strip() == VERSION
    assert not list(place.rglob("__pycache__"))
    assert oks(folder) == [True, True]


@pytest.mark.parametrize("host_python", NUKE, indirect=True)
def test_every_nukes_python_finds_its_pyzmq_and_the_adapter(host_python: Path, folder: Path) -> None:
    """Without anything that is installed for that Python itself."""
    installer.install(folder)
    place, version = folder / "ArtifexPro", host_python.parents[1].name
    code = (
        f"import sys; sys.path[:0] = [{str(place / 'lib' / version)!r}, {str(place)!r}]\n"
        "import zmq, packaging, importlib.util\n"
        "from artifexpro_nuke.bridge import line, session, nativegraph\n"
        "from artifexpro_nuke.nuke import gizmos\n"
        "assert zmq.has('curve') and importlib.util.find_spec('qtpy')\n"
        "zmq.curve_keypair(); print(zmq.__file__)"
    )
    done = subprocess.run([str(host_python), "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(place / "lib" / version)


def test_installing_twice_changes_nothing_the_second_time(folder: Path) -> None:
    installer.install(folder)
    before = everything(folder)
    assert any("already" in line for line in installer.install(folder))
    assert everything(folder) == before


@pytest.mark.parametrize("own", [OWN, b"x = 1\n\n\n", b"# only words"])
def test_the_artists_own_init_stays_hers(own: bytes, folder: Path) -> None:
    start = folder / "init.py"
    start.write_bytes(own)
    installer.install(folder)
    installer.install(folder)
    text = start.read_bytes()
    assert text.startswith(own) and text.count(b"pluginAddPath") == own.count(b"pluginAddPath") + 1
    assert (b"\r\n" in text) == (b"\r\n" in own) and text.replace(b"\r\n", b"").count(b"\r") == 0
    compile(text, "init.py", "exec")
    installer.uninstall(folder)
    assert start.read_bytes().rstrip() == own.rstrip() and start.read_bytes().startswith(own)


def test_lines_of_an_older_release_are_replaced(folder: Path) -> None:
    start = folder / "init.py"
    start.write_text(f"first = 1\n{installer.BEGIN}\nsomething older\n{installer.END}\nlast = 2\n")
    assert oks(folder)[1] is False
    installer.install(folder)
    assert start.read_text() == f"first = 1\nlast = 2\n{installer._LINES}"


def test_a_link_stays_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "dotfiles.py").write_text("mine = 1\n")
    (folder / "init.py").symlink_to(tmp_path / "dotfiles.py")
    installer.install(folder)
    assert (folder / "init.py").is_symlink() and "ArtifexPro" in (tmp_path / "dotfiles.py").read_text()


def test_uninstalling_leaves_what_is_not_ours(folder: Path) -> None:
    (folder / "tools").mkdir()
    (folder / "tools" / "own.gizmo").write_text("")
    installer.install(folder)
    installer.uninstall(folder)
    assert everything(folder) == {"tools/own.gizmo": b""}
    assert "does not have" in installer.uninstall(folder)[0]


def test_a_dry_run_touches_nothing(folder: Path) -> None:
    assert "dry run" in installer.install(folder, dry_run=True)[-1]
    assert everything(folder) == {}
    installer.install(folder)
    before = everything(folder)
    assert "dry run" in installer.uninstall(folder, dry_run=True)[-1]
    assert everything(folder) == before


def test_an_older_one_is_told_and_replaced_whole(folder: Path) -> None:
    package = folder / "ArtifexPro" / "artifexpro_nuke"
    package.mkdir(parents=True)
    (package / "release.txt").write_text("0.0.1\n")
    (package / "left_over.py").write_text("")
    finding = installer.doctor(folder)[0]
    assert not finding["ok"] and "0.0.1" in finding["said"] and finding["remedy"]
    installer.install(folder)
    assert not (package / "left_over.py").exists() and oks(folder) == [True, True]


@pytest.mark.parametrize("gone", ["lib/3.10/zmq", "artifexpro_nuke/nuke/gizmos.py", "menu.py"])
def test_the_doctor_finds_what_is_missing(gone: str, folder: Path) -> None:
    installer.install(folder)
    path = folder / "ArtifexPro" / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    finding = installer.doctor(folder)[0]
    assert not finding["ok"] and (gone in finding["said"] or "pyzmq for 3.10" in finding["said"])


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    with pytest.raises(ArtifexError, match=r"Attempted to change .*ArtifexPro.* Try closing Nuke"):
        installer.install(tmp_path / "file")


def test_an_init_that_python_could_not_read_is_left_alone(folder: Path) -> None:
    (folder / "init.py").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ArtifexError, match="not in UTF-8"):
        installer.install(folder)
    assert everything(folder) == {"init.py": b"# caf\xe9\n"}


@pytest.mark.parametrize(
    ("system", "where"),
    [("Linux", "opt"), ("Darwin", "Applications"), ("Windows", "Program Files")],
)
def test_nukes_are_found_where_each_system_keeps_them(
    system: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installer.platform, "system", lambda: system)
    monkeypatch.setattr(installer.Path, "home", lambda: tmp_path / "home")
    monkeypatch.setenv("PROGRAMFILES", str(tmp_path / "Program Files"))
    usual = [root for root in installer._roots() if root.name == where]
    assert len(usual) == 1
    monkeypatch.setattr(installer, "_roots", lambda: [tmp_path / where])
    with pytest.raises(ArtifexError, match="find Nuke"):
        installer.install()
    assert [finding["ok"] for finding in installer.doctor()] == [False]
    for name in ("Nuke14.0v5", "Nuke13.2v9", "Nuke16.0v3", "Nuke17.0v1", "Nuke18.0v1", "Nukepedia", "Nuke14"):
        (tmp_path / where / name).mkdir(parents=True)
    found = [(nuke.release, nuke.python) for nuke in installer.installed()]
    known = [("14.0v5", "3.9"), ("16.0v3", "3.11"), ("17.0v1", "3.11")]
    assert found == [("13.2v9", None), *known, ("18.0v1", None)]
    told = {finding["name"]: finding for finding in installer.doctor()}
    assert [name for name, finding in told.items() if finding["ok"]] == [f"Nuke {release}" for release, _ in known]
    assert "left out" in told["Nuke 18.0v1"]["said"] and "14 to 17" in told["Nuke 13.2v9"]["remedy"]

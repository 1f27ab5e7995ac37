"""Building the extension, putting it into Blender's folders and taking it out again."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.version import VERSION
from artifexpro.installers import blender as installer
from artifexpro.installers import wheels


@pytest.fixture
def user_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "blender" / "5.0"
    folder.mkdir(parents=True)
    return folder


def files_under(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_zip_has_all_its_manifest_names_and_nothing_odd(extension: Path) -> None:
    with zipfile.ZipFile(extension) as packed:
        names = set(packed.namelist())
        manifest = tomllib.loads(packed.read("blender_manifest.toml").decode())
    assert manifest["version"] == VERSION
    assert {name.removeprefix("./") for name in manifest["wheels"]} == {n for n in names if n.startswith("wheels/")}
    assert {"__init__.py", "blender/__init__.py", "bridge/__init__.py"} <= names
    assert not [name for name in names if not name.endswith((".py", ".whl")) and name != "blender_manifest.toml"]


def test_building_twice_makes_the_same_bytes(extension: Path, tmp_path: Path) -> None:
    again = installer.build_extension(tmp_path, everywhere=False)
    assert again.read_bytes() == extension.read_bytes()


def test_the_manifest_for_all_systems_has_a_wheel_for_each_platform_and_python() -> None:
    manifest = tomllib.loads(
        installer.manifest_text(tuple(wheel.bundled_as for wheel in wheels.needed(everywhere=True)))
    )
    assert manifest["platforms"] == ["linux-x64", "macos-arm64", "macos-x64", "windows-x64"]
    for python in ("cp311-cp311", "cp313-cp313"):
        for system in ("manylinux", "macosx_10_15_universal2", "win_amd64"):
            assert [name for name in manifest["wheels"] if python in name and system in name], (python, system)


def test_a_wheel_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    wheel = wheels.needed(everywhere=False)[0]
    (tmp_path / wheel.filename).write_bytes(b"something else")
    with pytest.raises(ArtifexError, match="not those of the pinned release"):
        wheels.collect(tmp_path, everywhere=False)


def test_every_module_in_the_zip_imports_only_what_blender_has(extension: Path) -> None:
    allowed = {*sys.stdlib_module_names, "zmq", "bpy"}
    with zipfile.ZipFile(extension) as packed:
        for name in packed.namelist():
            if not name.endswith(".py"):
                continue
            for node in ast.walk(ast.parse(packed.read(name))):
                if isinstance(node, ast.Import):
                    found = {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    found = {(node.module or "").partition(".")[0]}
                else:
                    continue
                assert found <= allowed, f"{name} imports {found - allowed}"


def test_installing_twice_changes_nothing_the_second_time(user_folder: Path) -> None:
    first = installer.install(user_folder)
    assert any("goes into" in line for line in first)
    before = files_under(user_folder)
    second = installer.install(user_folder)
    assert any("already" in line for line in second)
    assert files_under(user_folder) == before
    assert [finding["ok"] for finding in installer.doctor(user_folder)] == [True]


def test_an_older_one_is_replaced_whole(user_folder: Path) -> None:
    place = user_folder / "extensions" / "user_default" / "artifexpro"
    place.mkdir(parents=True)
    (place / "left_over.py").write_text("")
    (place / "blender_manifest.toml").write_text('version = "0.0.1"\n')
    finding = installer.doctor(user_folder)[0]
    assert not finding["ok"] and "0.0.1" in finding["said"] and finding["remedy"]
    assert any("replaces" in line for line in installer.install(user_folder))
    assert not (place / "left_over.py").exists()
    assert sorted(path.name for path in place.parent.iterdir()) == ["artifexpro"]


def test_a_dry_run_touches_nothing(user_folder: Path) -> None:
    assert any("dry run" in line for line in installer.install(user_folder, dry_run=True))
    assert files_under(user_folder) == {}
    installer.install(user_folder)
    before = files_under(user_folder)
    assert any("dry run" in line for line in installer.uninstall(user_folder, dry_run=True))
    assert files_under(user_folder) == before


def test_uninstalling_leaves_what_is_not_ours(user_folder: Path) -> None:
    other = user_folder / "extensions" / "user_default" / "another" / "__init__.py"
    other.parent.mkdir(parents=True)
    other.write_text("")
    installer.install(user_folder)
    installer.uninstall(user_folder)
    assert list(files_under(user_folder)) == [str(other.relative_to(user_folder))]
    assert any("does not have" in line for line in installer.uninstall(user_folder))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "extensions").write_text("a file where a folder should be")
    with pytest.raises(ArtifexError, match=r"Attempted to change .*user_default"):
        installer.install(tmp_path)


@pytest.mark.parametrize(
    ("system", "where"),
    [
        ("Linux", ".config/blender"),
        ("Darwin", "Library/Application Support/Blender"),
        ("Windows", "AppData/Roaming/Blender Foundation/Blender"),
    ],
)
def test_blender_is_found_where_each_system_keeps_it(
    system: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BLENDER_USER_RESOURCES", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(installer.platform, "system", lambda: system)
    monkeypatch.setattr(installer.Path, "home", lambda: tmp_path)
    with pytest.raises(ArtifexError, match=re.escape("Blender")):
        installer.install()
    assert [finding["ok"] for finding in installer.doctor()] == [False]
    for name in ("4.1", "4.2", "5.0", "config", "10.1"):
        (tmp_path / where / name).mkdir(parents=True)
    assert [folder.name for folder in installer.user_folders()] == ["4.2", "5.0", "10.1"]

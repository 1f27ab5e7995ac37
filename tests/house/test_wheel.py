"""What is installed is the tree: a folder forgotten by the build works from a clone and is missing for users."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOTS = ("core", "daemon", "hosts", "installers", "benchmarks")
FOR_DEVELOPERS = {"hosts/ruff.toml"}
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*_cache")


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """Built from a copy, so that neither build/ nor an egg-info of the tree can leak into it."""
    copy = tmp_path_factory.mktemp("copy")
    for root in ROOTS:
        shutil.copytree(tree / root, copy / root, ignore=IGNORED)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(tree / name, copy / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", copy / "dist", copy]
    built = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert built.returncode == 0, built.stdout + built.stderr
    return ZipFile(next((copy / "dist").glob("*.whl")))


def test_the_wheel_has_every_file_of_the_tree_and_no_other(wheel, tree, tmp_path):
    in_tree = set()
    for root in ROOTS:
        shutil.copytree(tree / root, tmp_path / root, ignore=IGNORED)
        in_tree |= {str(path.relative_to(tmp_path)) for path in (tmp_path / root).rglob("*") if path.is_file()}
    in_wheel = {name.removeprefix("artifexpro/") for name in wheel.namelist() if ".dist-info/" not in name}
    assert in_wheel == in_tree - FOR_DEVELOPERS


def test_the_wheel_carries_licence_command_and_version(wheel):
    info = {name.split(".dist-info/")[1]: name for name in wheel.namelist() if ".dist-info/" in name}
    assert {"licenses/LICENSE", "licenses/NOTICE"} <= set(info)
    assert "artifexpro = artifexpro.hosts.terminal.main:main" in wheel.read(info["entry_points.txt"]).decode()
    metadata = wheel.read(info["METADATA"]).decode()
    from artifexpro.core.version import VERSION

    assert f"\nVersion: {VERSION}\n" in metadata
    assert "\nLicense-Expression: Apache-2.0\n" in metadata

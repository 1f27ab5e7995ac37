"""The set-up script: it installs once, again when it must, and says why when it cannot."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from artifexpro.installers import bootstrap


@pytest.fixture
def toy(tmp_path, monkeypatch) -> bootstrap.Part:
    """A part whose environment is real and whose packages are none, in a tree of its own."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    (tmp_path / "toy.lock").write_text("# nothing\n")
    return bootstrap.Part(
        name="toy",
        environment=tmp_path / ".venv",
        files=("toy.lock",),
        steps=(("--no-index", "-r", "toy.lock"),),
        check="import json",
        disk=1,
    )


@pytest.fixture
def empty_environment(toy, monkeypatch) -> bootstrap.Part:
    """`toy` with its environment already made, without the seconds that pip's own installation takes."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", toy.environment], check=True)
    monkeypatch.setattr(bootstrap, "make_environment", lambda part: None)
    return toy


def test_a_second_run_installs_nothing_and_a_changed_lock_installs_again(toy, monkeypatch):
    assert bootstrap.set_up(toy) is True
    assert toy.python.exists()
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", None)
        patch.setattr(subprocess, "Popen", None)
        assert bootstrap.set_up(toy) is False
    (bootstrap.ROOT / "toy.lock").write_text("# another nothing\n")
    assert bootstrap.set_up(toy) is True
    assert bootstrap.set_up(toy) is False


def test_the_stamp_belongs_to_files_python_and_place(toy, monkeypatch, tmp_path):
    digests = {toy.digest()}
    (tmp_path / "toy.lock").write_text("# another nothing\n")
    digests.add(toy.digest())
    digests.add(replace(toy, version=(3, 99)).digest())
    digests.add(replace(toy, steps=()).digest())
    (tmp_path / "moved").mkdir()
    shutil.copy(tmp_path / "toy.lock", tmp_path / "moved")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path / "moved")
    digests.add(toy.digest())
    assert len(digests) == 5


@pytest.mark.parametrize("step", range(3))
def test_an_installation_that_broke_off_is_taken_up_again(step, empty_environment, monkeypatch):
    """Whatever step it stops at, nothing says that the part is there."""
    done = []

    def install(part, arguments):
        done.append(arguments)
        if len(done) == step + 1:
            raise KeyboardInterrupt

    part = replace(empty_environment, steps=(("one",), ("two",), ("three",)))
    part.stamp.write_text("from an older lock")
    monkeypatch.setattr(bootstrap, "install", install)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.set_up(part)
    assert not part.is_there()
    assert bootstrap.set_up(part) is True


def test_no_network_is_said_in_a_sentence(toy):
    part = replace(
        toy, steps=(("--retries", "1", "--index-url", "http://127.0.0.1:9/simple", "a-package-of-nobody==1"),)
    )
    with pytest.raises(bootstrap.CannotSetUp, match="registry could not be reached") as refusal:
        bootstrap.set_up(part)
    assert "HTTPS_PROXY" in str(refusal.value)
    assert not part.is_there()


@pytest.mark.parametrize(
    ("output", "because"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "is full"),
        ("NameResolutionError: ...\nERROR: No matching distribution found for torch==2.13.0", "could not be reached"),
        ("ERROR: No matching distribution found for torch==2.13.0", "has no torch==2.13.0 for this Python"),
        ("lines\nERROR: something else.\n", "something else"),
        ("", "without a word"),
    ],
)
def test_what_the_installer_says_becomes_a_reason(output, because):
    assert because in bootstrap.reason(output)
    assert bootstrap.remedy(output, Path("a.log"))


def test_a_full_disk_is_said_before_anything_is_fetched(toy, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**9))
    with pytest.raises(bootstrap.CannotSetUp, match=r"takes about 3.0 GB and 1.0 GB are free"):
        bootstrap.set_up(replace(toy, disk=3 * 10**9))
    assert not toy.environment.exists()


def test_a_python_without_venv_is_told_which_package_it_lacks(toy, monkeypatch):
    monkeypatch.setattr(bootstrap, "find_spec", lambda name: None)
    with pytest.raises(bootstrap.CannotSetUp, match=r"apt install python3\.\d+-venv"):
        bootstrap.set_up(toy)


def test_a_missing_library_of_the_system_is_named(empty_environment, monkeypatch):
    part = replace(
        empty_environment,
        steps=(),
        check="raise ImportError('libXi.so.6: cannot open shared object file: No such file or directory')",
    )
    with pytest.raises(bootstrap.CannotSetUp, match=r"the system has no libXi.so.6.*apt install"):
        bootstrap.set_up(part)
    assert not part.is_there()


def test_an_old_python_gets_a_sentence(tree):
    script = tree / "installers" / "bootstrap.py"
    pretend = f"import runpy, sys; sys.version_info = (3, 9, 1); runpy.run_path({str(script)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Attempted to set up ArtifexPro Studio with Python 3.9. Failed because")
    ast.parse(script.read_text(), feature_version=(3, 6))


def test_a_wrong_command_is_wrong_use_from_any_folder(tree, tmp_path):
    command = [sys.executable, tree / "installers" / "bootstrap.py", "dance"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "demo" in done.stderr and "test" in done.stderr


def test_the_demo_runs_where_the_user_stands_with_what_she_said(toy, monkeypatch):
    ran = []
    monkeypatch.setattr(bootstrap, "project", lambda: toy)
    monkeypatch.setattr(bootstrap, "set_up", lambda part: False)
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: ran.append((a, k)) or SimpleNamespace(returncode=3))
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "demo", "--out", "here"])
    assert bootstrap.main() == 3
    [((command,), named)] = ran
    assert command[1:] == ["demo", "--out", "here"]
    assert "cwd" not in named


@pytest.mark.parametrize(("style", "tests", "status"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (0, 5, 1), (1, 2, 2)])
def test_the_test_command_fails_with_any_of_its_checks(style, tests, status, monkeypatch):
    def run(command, **named):
        return SimpleNamespace(returncode=tests if "pytest" in command else style if "ruff" in command else 0)

    monkeypatch.setattr(bootstrap, "set_up_tests", lambda: Path("python"))
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "test"])
    assert bootstrap.main() == status


def test_the_parts_are_those_of_the_locks(tree):
    parts = [
        bootstrap.project(),
        bootstrap.tools(),
        bootstrap.window(),
        *(bootstrap.blender(v, Path(sys.executable)) for v in bootstrap.BLENDERS),
        *(bootstrap.host(v, Path(sys.executable)) for v in bootstrap.HOSTS),
    ]
    named = {name for part in parts for name in part.files if name.endswith(".lock")}
    assert named == {path.name for path in tree.glob("*.lock")}
    assert bootstrap.project().steps[0][0] == "torch==2.13.0"
    assert len({part.stamp for part in parts}) == len(parts)


def test_the_continuous_check_calls_the_test_command(tree):
    script = (tree / ".ci" / "run").read_text()
    assert script.startswith("#!/usr/bin/env bash\n")
    assert "set -eu" in script
    assert "python3 installers/bootstrap.py test" in script

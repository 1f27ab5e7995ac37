"""What the bridge asks of the program it runs in: Python 3.9, the standard library, zmq."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HOSTS = Path(__file__).resolve().parents[3] / "hosts"
BRIDGE = sorted((HOSTS / "bridge").glob("*.py"))
BLENDER = sorted((HOSTS / "blender").glob("*.py"))
OLDEST = (3, 9)


def without_blender() -> list[Path]:
    """Modules of the Blender adapter that Python can load outside Blender: none that reaches bpy."""
    blenders = {"bpy", "bpy_extras", "mathutils", "gpu", "blf"}
    imports = {path.stem: imported(path) for path in BLENDER}
    inside = {name for name, names in imports.items() if names & blenders}
    while more := {name for name, names in imports.items() if names & inside} - inside:
        inside |= more
    return [path for path in BLENDER if path.stem not in inside]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {(node.module or "").split(".")[0]} | {alias.name for alias in node.names}
    return names


def test_hosts_load_the_standard_library_and_zmq_and_nothing_else():
    loadable = [path for path in (*BRIDGE, *without_blender()) if path.stem != "__init__"]
    assert len(loadable) > len(BRIDGE), "nothing of the Blender adapter could be looked at"
    names = [f"artifexpro.hosts.{path.parent.name}.{path.stem}" for path in loadable]
    code = f"import sys; before = set(sys.modules); import {', '.join(names)}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    compiled_into_zmq = ("_cython_", "cython_runtime")
    foreign = {
        name
        for name in done.stdout.split()
        if not name.startswith(compiled_into_zmq)
        and (
            name.split(".")[0] not in {*sys.stdlib_module_names, "zmq", "artifexpro"}
            or (name.startswith("artifexpro.") and not name.startswith("artifexpro.hosts"))
        )
    }
    assert foreign == set()


@pytest.mark.parametrize("path", BRIDGE, ids=lambda path: path.name)
def test_the_bridge_is_written_in_the_oldest_hosts_python(path):
    ast.parse(path.read_text(encoding="utf-8"), feature_version=OLDEST)

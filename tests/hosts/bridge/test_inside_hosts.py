"""What the bridge asks of the program it runs in: Python 3.9, the standard library, zmq."""

from __future__ import annotations

import ast
import shutil
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


def oldest_python() -> str | None:
    """A Python 3.9 of this machine that really runs."""
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.9.*/bin/python"))
    for candidate in (*map(str, pyenv), shutil.which("python3.9")):
        if candidate and subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def test_the_bridge_runs_on_the_oldest_hosts_python(tmp_path):
    """Everything but the socket itself, which needs a pyzmq for that Python: `zmq` is a stand-in without behaviour."""
    python = oldest_python()
    if python is None:
        pytest.skip("no Python 3.9 on this machine")
    (tmp_path / "zmq").mkdir()
    (tmp_path / "zmq" / "utils").mkdir()
    (tmp_path / "zmq" / "__init__.py").write_text(
        "class ZMQError(Exception): pass\nclass Again(ZMQError): pass\nclass Socket:\n"
        "    def __class_getitem__(cls, item): return cls\n"
        "def __getattr__(name):\n    if name.startswith('EVENT_'): return 1\n    raise AttributeError(name)\n"
    )
    (tmp_path / "zmq" / "auth.py").write_text("def load_certificate(path): return (b'k' * 40, b's' * 40)\n")
    (tmp_path / "zmq" / "utils" / "__init__.py").write_text("")
    (tmp_path / "zmq" / "utils" / "monitor.py").write_text("def parse_monitor_message(frames): return {}\n")
    use = (
        "import json, sys\n"
        "from bridge import client, errors, frames, graphs, home, jobs, launch, line, link, session, wire\n"
        "assert sys.version_info[:2] == (3, 9)\n"
        "graph = graphs.clip_graph('TI2VGenerator', {'prompt': 'x'}, graphs.MAIN_JOB)\n"
        "request = graphs.job_request(graphs.render_work(graph, frames=(1, 5)), title='t')\n"
        "assert wire.decode(wire.encode('i', 'job.submit', request, (b'p',)))['parts'] == [b'p']\n"
        "assert frames.Frame(1, 1, 'uint8', 's', bytes(4)).floats(bottom_up=True) == [0.0] * 4\n"
        "assert home.Home.find(sys.argv[1]).discovery() is None\n"
        "assert errors.BridgeError.from_failure(errors.BridgeError('a', 'b', 'c').details()).because == 'b'\n"
        "book = jobs.JobBook()\n"
        "book.add(jobs.Job(request['key'], 't', request, {'frame': 1}))\n"
        "assert jobs.Job(**json.loads(book.as_text())[0]).open\n"
        "print(json.dumps(request))\n"
    )
    done = subprocess.run(
        [python, "-c", use, str(tmp_path)],
        env={"PYTHONPATH": f"{tmp_path}:{HOSTS}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

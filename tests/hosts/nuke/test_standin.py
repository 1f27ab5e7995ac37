"""The stand-in has no name that Nuke has not, and no other number of arguments; it refuses what Nuke refuses."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

STANDIN = Path(__file__).parent / "standin"
OURS = {"Nodes"}
"""Types-nuke declares `nodes` as a value of this class: it is made here."""


def run(code: str, environment: dict[str, str]) -> Any:
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def environment(nuke) -> dict[str, str]:
    found: dict[str, str] = nuke.environment()
    return found


def test_every_name_and_arity_is_in_types_nuke(environment):
    code = (
        "import inspect, json, nuke\n"
        "from nukestandin.spec import spec, takes\n"
        "known, wrong, looked = spec(), [], 0\n"
        "def arity(where, function, declarations, method):\n"
        "    global looked\n"
        "    for positional in range(8):\n"
        "        parameters = list(inspect.signature(function).parameters.values())[method:]\n"
        "        if any(p.kind == p.VAR_POSITIONAL for p in parameters): continue\n"
        "        most = len(parameters)\n"
        "        ours = sum(p.default is p.empty for p in parameters) <= positional <= most\n"
        "        if ours and not takes(declarations, positional, method): wrong.append([where, positional])\n"
        "    looked += 1\n"
        "for name, value in vars(nuke).items():\n"
        "    if name.startswith('_') or inspect.ismodule(value): continue\n"
        "    if name not in known.names: wrong.append([name, 'unknown']); continue\n"
        "    if inspect.isfunction(value): arity(name, value, known.functions.get(name, ()), False)\n"
        "    if inspect.isclass(value) and name != 'Nodes':\n"
        "        methods = known.methods(name)\n"
        "        for each in dir(value):\n"
        "            if each.startswith('_'): continue\n"
        "            if each == 'code': continue\n"
        "            if each not in methods: wrong.append([f'{name}.{each}', 'unknown']); continue\n"
        "            function = inspect.getattr_static(value, each)\n"
        "            if inspect.isfunction(function): arity(f'{name}.{each}', function, methods[each], True)\n"
        "print(json.dumps({'wrong': wrong, 'looked': looked}))"
    )
    told = run(code, environment)
    print(told["wrong"])
    assert told["wrong"] == []
    assert told["looked"] > 150


REFUSED = {
    "import nuke; nuke.inventedFunction": "AttributeError",
    "import nuke; nuke.toNode('x', 'y')": "TypeError",
    "import nuke; nuke.collapseToGroup()": "NotImplementedError",
    "import nuke; nuke.createNode('WanMagic')": "Unknown command",
    "import nuke; nuke.nodes.Read()['nothing']": "does not exist",
    "import nuke; nuke.nodes.Read().madeUp()": "AttributeError",
    "import nuke; nuke.nodes.Write(datatype='16 bit half')": "does not exist",
    "import nuke; nuke.scriptReadText('Read {\\n file a b\\n}')": "has no value",
    "import nuke; nuke.scriptReadText('Read {\\n file {a\\n}')": "missing close-brace",
    "import nuke; nuke.scriptReadText('Read {\\n inputs 0\\n nonsense 1\\n}')": "no such knob",
    "import nuke; nuke.executeInMainThread(print)": "freezes",
    "import nuke, threading; from nukestandin import threads\n"
    "def off():\n"
    "    try: nuke.root()\n"
    "    except RuntimeError as trouble: said.append(str(trouble))\n"
    "said = []; t = threading.Thread(target=off); t.start(); t.join(); raise SystemExit(said[0])": "main thread",
    "import nuke; n = nuke.nodes.NoOp(); nuke.delete(n); n.name()": "not attached",
    "import nuke; nuke.scriptReadText('[exec ls]')": "exec",
}


@pytest.mark.parametrize("code", REFUSED)
def test_it_refuses(environment, code):
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert REFUSED[code] in done.stderr


def test_a_dialog_in_terminal_mode_is_an_error(nuke):
    code = "import nuke; nuke.message('hello')"
    done = subprocess.run(
        [sys.executable, "-c", code], env=nuke.environment(terminal=True), capture_output=True, text=True, check=False
    )
    assert "a dialog in terminal mode" in done.stderr


def test_knobs_undo_expressions_and_callbacks(environment):
    code = (
        "import json, nuke\n"
        "heard = []\n"
        "nuke.addKnobChanged(lambda: heard.append(nuke.thisKnob().name()), nodeClass='Switch')\n"
        "one, two = nuke.nodes.Switch(), nuke.nodes.Switch()\n"
        "one['which'].setValue(3)\n"
        "two['which'].setExpression('Switch1.which * 2 + frame')\n"
        "nuke.frame(5)\n"
        "linked = two['which'].value()\n"
        "one['which'].setValueAt(0, 1); one['which'].setValueAt(10, 11)\n"
        "half_way = one['which'].valueAt(6)\n"
        "undo = nuke.Undo(); undo.begin('step'); one['label'].setValue('x'); two['label'].setValue('y'); undo.end()\n"
        "nuke.undo()\n"
        "copy = nuke.createNode('Switch')\n"
        "print(json.dumps([linked, half_way, one['label'].value(), two['label'].value(), copy.name(), heard[:1]]))"
    )
    assert run(code, environment) == [11.0, 5.0, "", "", "Switch3", ["which"]]


def test_the_kit_runs_on_the_oldest_python_of_nuke():
    for path in STANDIN.rglob("*.py"):
        if path.name != "engine.py":
            ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    assert inspect.ismodule(ast)

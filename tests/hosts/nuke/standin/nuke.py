"""Stands in for Nuke's own module: names of types-nuke and no others, in the main thread and nowhere else.

What Nuke has and this has not raises NotImplementedError; what Nuke has not, AttributeError.
"""

import functools
import os
import sys
from pathlib import Path as _Path

from nukestandin import callbacks as _callbacks
from nukestandin import classes as _classes
from nukestandin import colour as _colour
from nukestandin import engine_line as _engine
from nukestandin import formats as _formats
from nukestandin import knobs as _knobs
from nukestandin import menus as _menus
from nukestandin import nodes as _nodes
from nukestandin import rendering as _rendering
from nukestandin import scripts as _scripts
from nukestandin import spec as _spec
from nukestandin import state as _running
from nukestandin import tcl as _tcl
from nukestandin import threads as _threads
from nukestandin import undo as _undo
from nukestandin.formats import Format
from nukestandin.knobs import (
    Array_Knob,
    Boolean_Knob,
    Disable_Knob,
    Double_Knob,
    Enumeration_Knob,
    EvalString_Knob,
    File_Knob,
    Format_Knob,
    Int_Knob,
    Knob,
    Multiline_Eval_String_Knob,
    PyScript_Knob,
    PythonKnob,
    Script_Knob,
    String_Knob,
    Tab_Knob,
    Text_Knob,
    Unsigned_Knob,
)
from nukestandin.menus import Menu, MenuItem
from nukestandin.nodes import Group, Node, Root
from nukestandin.progress import ProgressTask
from nukestandin.undo import Undo

_state = _running.state
GUI = _state.gui
INVISIBLE, STARTLINE, ENDLINE, DISABLED = _knobs.INVISIBLE, _knobs.STARTLINE, _knobs.ENDLINE, _knobs.DISABLED
DO_NOT_WRITE, NO_ANIMATION, READ_ONLY = _knobs.DO_NOT_WRITE, _knobs.NO_ANIMATION, _knobs.READ_ONLY
STRIP_CASCADE_PREFIX = _colour.STRIP_CASCADE_PREFIX
NUKE_VERSION_MAJOR = int(os.environ.get("STANDIN_NUKE_VERSION", "14"))
NUKE_VERSION_MINOR, NUKE_VERSION_RELEASE = 0, 5
NUKE_VERSION_STRING = f"{NUKE_VERSION_MAJOR}.{NUKE_VERSION_MINOR}v{NUKE_VERSION_RELEASE}"
env = {"gui": GUI, "NukeVersionString": NUKE_VERSION_STRING, "NukeVersionMajor": NUKE_VERSION_MAJOR, "nukex": False}


def __getattr__(name):
    if name in _spec.spec().names:
        raise NotImplementedError(f"the stand-in has no nuke.{name}")
    raise AttributeError(f"module 'nuke' has no attribute {name!r} in Nuke either")


def _main(function):
    """A function that only the main thread may call."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        _threads.check(f"nuke.{function.__name__}")
        return function(*args, **kwargs)

    return call


class Nodes:
    """`nuke.nodes`: `nuke.nodes.Read(file=...)` makes a node without a panel and without callbacks of users."""

    def __getattr__(self, kind):
        def make(**knobs):
            _threads.check(f"nuke.nodes.{kind}")
            node = _nodes.make(kind)
            inputs = knobs.pop("inputs", ())
            for name, value in knobs.items():
                node[name].setValue(value)
            for index, above in enumerate(inputs):
                node.setInput(index, above)
            _callbacks.created(node)
            return node

        return make


nodes = Nodes()


@_main
def root():
    return _state.root


@_main
def createNode(typ, knobs="", inpanel=True):
    """A node under the selected one, selected itself. `knobs` is Tcl: "name value name value"."""
    group = _state.group()
    chosen = [node for node in group._nodes if node.isSelected()]
    gizmo = None if typ in _classes.OWN else _scripts.found_on_path(typ)
    if gizmo is not None:
        made = _scripts.Reader(group).read(gizmo.read_text(encoding="utf-8"))
        node = made[-1]
    else:
        node = _nodes.make(typ, group)
    if knobs:
        node.readKnobs(knobs)
    if chosen and node.maxInputs():
        node.setInput(0, chosen[0])
    for each in chosen:
        each.setSelected(False)
    node.setSelected(True)
    if gizmo is None:
        _callbacks.created(node)
    return node


@_main
def toNode(name):
    return _state.group().node(name) or _state.root.node(name)


@_main
def exists(name):
    return _state.root.node(name) is not None


@_main
def allNodes(filter=None, group=None, recurseGroups=False):
    found = []
    for node in (group or _state.group())._nodes:
        if filter is None or node._kind == filter:
            found.append(node)
        if recurseGroups and isinstance(node, Group):
            found.extend(allNodes(filter, node, True))
    return found


@_main
def selectedNodes(filter=None):
    return [node for node in allNodes(filter) if node.isSelected()][::-1]


@_main
def selectedNode():
    chosen = selectedNodes()
    if not chosen:
        raise ValueError("no node selected")
    return chosen[0]


@_main
def delete(node):
    _nodes.remove(node)


@_main
def thisNode():
    return _state.nodes[-1] if _state.nodes else _state.group()


@_main
def thisKnob():
    return _state.knobs[-1] if _state.knobs else None


@_main
def thisGroup():
    return _state.group()


@_main
def frame(f=None):
    if f is not None:
        _state.frame = int(f)
    return _state.frame


@_main
def message(prompt):
    _running.dialog(prompt)


@_main
def alert(prompt):
    _running.dialog(prompt)


@_main
def ask(prompt):
    _running.dialog(prompt)
    return _state.answers.pop(0)


@_main
def choice(title, prompt, options, default=0):
    _running.dialog(f"{title}: {prompt}")
    return _state.answers.pop(0)


@_main
def getFilename(message, pattern=None, default=None, favorites=None, type=None, multiple=False):
    _running.dialog(message)
    return _state.answers.pop(0)


def tprint(*values, sep=" ", end="\n", file=None):
    print(*values, sep=sep, end=end, file=file or sys.stdout)


@_main
def warning(message):
    print(f"[warning] {message}", file=sys.stderr)


@_main
def error(message):
    print(f"[error] {message}", file=sys.stderr)


@_main
def execute(nameOrNode, start, end, incr=1, views=None, continueOnError=False):
    _rendering.execute(nameOrNode, start, end, incr, views, continueOnError)


@_main
def executing(f=None):
    return _state.executing


@_main
def sample(node, channel, x, y, dx=1, dy=1):
    """A pixel's value, (0, 0) being the lower left one; `dx` and `dy` are taken as 1."""
    told = _engine.ask(
        "sample",
        tree=_rendering.tree(node, _state.frame),
        frame=_state.frame,
        working=_rendering.working_space(),
        config=_colour.config(),
        x=x,
        y=y,
    )
    names = ["red", "green", "blue", "alpha"]
    return told["pixel"][names.index(channel.split(".")[-1])]


@_main
def addFormat(s):
    return _formats.add(s)


@_main
def formats():
    return list(_formats._KNOWN.values())


@_main
def modified(state=None):
    if state is not None:
        _state.root.setModified(state)
    return _state.root.modified()


@_main
def undo():
    _undo.Undo.undo()


@_main
def tcl(cmd, *args):
    return _tcl.interpreter().eval(" ".join((cmd, *args)))


@_main
def pluginAddPath(args, addToSysPath=True):
    paths = [args] if isinstance(args, str) else list(args)
    for path in paths:
        full = str((_Path(sys._getframe(2).f_code.co_filename).parent / path).resolve())
        _state.plugin_paths.insert(0, full)
        if addToSysPath and full not in sys.path:
            sys.path.insert(0, full)


@_main
def pluginPath():
    return list(_state.plugin_paths)


executeInMainThread = _threads.execute_in_main_thread
executeInMainThreadWithResult = _threads.execute_with_result
menu = _main(_menus.menu)
getColorspaceList = _main(_colour.getColorspaceList)
scriptClear, scriptOpen = _main(_scripts.scriptClear), _main(_scripts.scriptOpen)
scriptSave, scriptSaveAs = _main(_scripts.scriptSave), _main(_scripts.scriptSaveAs)
scriptName = _main(_scripts.scriptName)
scriptReadText, scriptReadFile = _main(_scripts.scriptReadText), _main(_scripts.scriptReadFile)
nodePaste, nodeCopy = _main(_scripts.nodePaste), _main(_scripts.nodeCopy)
addOnUserCreate, removeOnUserCreate = _callbacks.adder("onUserCreate"), _callbacks.remover("onUserCreate")
addOnCreate, removeOnCreate = _callbacks.adder("onCreate"), _callbacks.remover("onCreate")
addOnScriptLoad, removeOnScriptLoad = _callbacks.adder("onScriptLoad"), _callbacks.remover("onScriptLoad")
addOnScriptSave, removeOnScriptSave = _callbacks.adder("onScriptSave"), _callbacks.remover("onScriptSave")
addOnScriptClose, removeOnScriptClose = _callbacks.adder("onScriptClose"), _callbacks.remover("onScriptClose")
addOnDestroy, removeOnDestroy = _callbacks.adder("onDestroy"), _callbacks.remover("onDestroy")
addKnobChanged, removeKnobChanged = _callbacks.adder("knobChanged"), _callbacks.remover("knobChanged")
addBeforeRender, removeBeforeRender = _callbacks.adder("beforeRender"), _callbacks.remover("beforeRender")
addAfterRender, removeAfterRender = _callbacks.adder("afterRender"), _callbacks.remover("afterRender")

if _state.root is None:
    _scripts.fresh()

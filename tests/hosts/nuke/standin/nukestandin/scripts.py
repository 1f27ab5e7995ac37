"""Scripts: written as Nuke writes them, and read by a real Tcl interpreter, as Nuke reads them.

A node block is a Tcl list of knobs and values; nodes stand on a stack, from which the next one takes its inputs, the
topmost first.
"""

import os
from itertools import count
from pathlib import Path
from tkinter import TclError

from . import callbacks, classes, formats, knobs, nodes, tcl, undo
from . import state as running

_PASSING = ("selected", "name")


# ---------------------------------------------------------------------- writing


def text_of(group, chosen=None):
    """The nodes of a group (or those chosen of it) as a script."""
    lines = []
    if group is running.state.root and chosen is None:
        lines.append("#! stand-in -nx\nversion 14.0 v5")
        lines.append(_block("Root", group, 0))
    lines.extend(_written(group._nodes if chosen is None else chosen, 0, count(1)))
    return "\n".join(lines) + "\n"


def _written(group, depth, counter):
    """The counter runs through all groups: a variable set inside one would hide that of the same name outside."""
    lines, numbers = [], {}
    for node in _in_order(group):
        pad = " " * depth
        wired = node.inputs()
        for index in reversed(range(wired)):
            above = node._inputs.get(index)
            lines.append(f"{pad}push {f'$N{numbers[above]}' if above in numbers else 0}")
        lines.append(_block(node._kind, node, depth, wired))
        if isinstance(node, nodes.Group):
            lines.extend(_written(node._nodes, depth + 1, counter))
            lines.append(f"{pad}end_group")
        numbers[node] = next(counter)
        lines.append(f"{pad}set N{numbers[node]} [stack 0]")
    return lines


def _in_order(group):
    """Every node after those above it."""
    done, order = set(), []

    def visit(node):
        if node in done or node not in group:
            return
        done.add(node)
        for above in node._inputs.values():
            visit(above)
        order.append(node)

    for node in group:
        visit(node)
    return order


def _block(kind, node, depth, count=0):
    pad = " " * (depth + 1)
    lines = [f"{' ' * depth}{kind} {{", f"{pad}inputs {count}"]
    for name, knob in node._knobs.items():
        if knob._user:
            flags = [f"+{flag}" for flag, bit in knobs.FLAGS.items() if knob._flags & bit]
            tip = ["t", knob._tooltip] if knob._tooltip else []
            label = ["l", knob._label] if knob._label is not None else []
            more = tcl.listed(knob.code, name, *label, *tip, *knob._declared(), *flags)
            lines.append(f"{pad}addUserKnob {{{more}}}")
        written = not isinstance(knob, (knobs.Tab_Knob, knobs.PyScript_Knob, knobs.Text_Knob))
        if (
            written
            and not knob._flags & knobs.DO_NOT_WRITE
            and name not in _PASSING
            and _differs(knob)
            and (kind, name) != ("Root", "frame")
        ):
            lines.append(f"{pad}{name} {knob.toScript()}")
    if kind != "Root":
        lines.append(f"{pad}name {tcl.quoted(node.name())}")
    lines.append(" " * depth + "}")
    return "\n".join(lines)


def _differs(knob):
    return knob._not_default() or (knob._user and isinstance(knob, knobs.Enumeration_Knob))


# ---------------------------------------------------------------------- reading


class Reader:
    """One script being read into a group."""

    def __init__(self, group, stack=()):
        self.made = []
        self._groups = [(group, list(stack))]
        self._all = []
        self._tcl = tcl.interpreter()
        for name, call in (
            ("push", self._push),
            ("stack", self._stack),
            ("end_group", self._end),
            ("version", _nothing),
        ):
            self._tcl.createcommand(name, call)
        self._tcl.createcommand("standin_block", self._block)
        self._tcl.eval("proc unknown args {standin_block {*}$args}")
        self._trouble = None

    def read(self, text):
        running.state.reading += 1
        try:
            self._tcl.eval(text)
        except TclError as trouble:
            raise RuntimeError(f"{self._trouble or trouble}") from self._trouble
        finally:
            running.state.reading -= 1
        if len(self._groups) != 1:
            raise RuntimeError("a Group is not ended")
        for node in self._all:
            callbacks.created(node)
        return self.made

    def _push(self, what):
        self._groups[-1][1].append(None if what == "0" else self._all[int(str(what)[1:])])
        return ""

    def _stack(self, index):
        node = self._groups[-1][1][-1 - int(index)]
        return "0" if node is None else f"n{self._all.index(node)}"

    def _end(self):
        self._groups.pop()
        return ""

    def _block(self, kind, body=None, *more):
        try:
            if body is None or more:
                raise RuntimeError(f"{kind}: Unknown command")
            self._take(kind, tcl.words(body))
        except Exception as trouble:
            self._trouble = trouble
            raise
        return ""

    def _take(self, kind, parts):
        if len(parts) % 2:
            raise RuntimeError(f"{kind}: a knob has no value: {parts[-1]}")
        said = list(zip(parts[::2], parts[1::2]))
        group, stack = self._groups[-1]
        node = running.state.root if kind == "Root" else nodes.make(kind, group, reading=True)
        wired = next((int(value) for name, value in said if name == "inputs"), 1)
        for name, value in said:
            if name == "addUserKnob":
                self._declare(node, tcl.words(value))
            elif name == "name" and kind != "Root":
                taken = {each.name() for each in group._nodes if each is not node}
                node._knobs["name"]._hold(nodes.free_name(value, taken))
            elif name != "inputs":
                knob = node._knobs.get(name)
                if knob is None:
                    raise RuntimeError(f"{kind}: no such knob: {name}")
                knob._hold(knob._read(value))
                node._grow(knob)
        if kind == "Root":
            return
        for index in range(wired):
            above = stack.pop() if stack else None
            if above is not None:
                node._wire(index, above)
        stack.append(node)
        self._all.append(node)
        if len(self._groups) == 1:
            self.made.append(node)
        if isinstance(node, nodes.Group):
            self._groups.append((node, []))

    def _declare(self, node, words):
        code, name, more = int(words[0]), words[1], words[2:]
        if code not in knobs.USER:
            raise RuntimeError(f"addUserKnob {name}: {code} is no kind of knob that the stand-in has")
        if name in node._knobs:
            raise RuntimeError(f"addUserKnob {name}: the node has this knob already")
        knob = knobs.USER[code](name)
        knob._declare(node, more)
        knob._user = True
        node._take(knob)


def _nothing(*_):
    return ""


# ---------------------------------------------------------------------- the functions of `nuke`


def scriptClear():
    with running.state.root._being_asked():
        callbacks.call("onScriptClose", running.state.root)
    fresh()


def fresh():
    """An empty script."""
    formats.reset()
    undo.forget()
    running.state.root = nodes.Root()
    running.state.groups, running.state.frame = [], 1


def scriptOpen(filename=None):
    root = running.state.root
    if running.state.gui and (root._nodes or root["name"].value()):
        raise RuntimeError("a script is open: Nuke would open this one in another window. Use scriptClear first")
    text = Path(filename).read_text(encoding="utf-8")
    root["name"]._hold(str(filename))
    Reader(root).read(text)
    root["name"]._hold(str(filename))
    with root._being_asked():
        callbacks.call("onScriptLoad", root)
    root._modified = False


def scriptSaveAs(filename=None, overwrite=-1):
    if Path(filename).exists() and overwrite != 1:
        raise RuntimeError(f"{filename} exists")
    running.state.root["name"]._hold(str(filename))
    scriptSave()


def scriptSave(filename=None):
    root = running.state.root
    if filename:
        root["name"]._hold(str(filename))
    path = root["name"].value()
    if not path:
        raise RuntimeError("the script has no name")
    with root._being_asked():
        callbacks.call("onScriptSave", root)
    Path(path).write_text(text_of(root), encoding="utf-8")
    root._modified = False
    return True


def scriptName():
    name = running.state.root["name"].value()
    if not name:
        raise RuntimeError("no script is open")
    return name


def scriptReadText(text):
    Reader(running.state.group()).read(text)


def scriptReadFile(path):
    Reader(running.state.group()).read(Path(path).read_text(encoding="utf-8"))


def nodePaste(path):
    """Read nodes into the open group, under what is selected; they are selected afterwards."""
    group = running.state.group()
    chosen = [node for node in group._nodes if node.isSelected()]
    made = Reader(group, chosen[:1]).read(Path(path).read_text(encoding="utf-8"))
    for node in chosen:
        node.setSelected(False)
    for node in made:
        node.setSelected(True)
    running.state.root._modified = True
    return made[-1] if made else None


def nodeCopy(path):
    chosen = [node for node in running.state.group()._nodes if node.isSelected()]
    if not chosen:
        return False
    Path(path).write_text(text_of(running.state.group(), chosen), encoding="utf-8")
    return True


def found_on_path(name):
    """A gizmo on the plug-in path."""
    places = [*running.state.plugin_paths, *os.environ.get("NUKE_PATH", "").split(os.pathsep)]
    files = (Path(place) / f"{name}.gizmo" for place in places if place)
    return next((path for path in files if path.is_file()), None)


__all__ = ["Reader", "classes", "fresh", "text_of"]

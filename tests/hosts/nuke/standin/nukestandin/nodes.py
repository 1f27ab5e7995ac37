"""Nodes, Groups and the Root: names that never collide, wires, sizes and ranges, and who is told of changes."""

from contextlib import contextmanager

from . import callbacks, classes, colour, engine_line, knobs, tcl, undo
from . import state as running
from .formats import Format
from .spec import spec
from .threads import Guarded


class Node(Guarded):
    def __init__(self, kind, parent):
        self._kind, self._parent, self._inputs, self._gone = kind, parent, {}, False
        self._knobs = {}
        for name, make, default in (*classes.EVERYWHERE, *classes.OWN[kind]):
            self._take(classes.make(make, name, default))

    def __getattr__(self, name):
        kind = type(self).__name__
        if name in spec().methods(kind):
            raise NotImplementedError(f"the stand-in has no {kind}.{name}")
        raise AttributeError(f"{kind} has no {name} in Nuke")

    def __getitem__(self, name):
        knob = self.knob(name)
        if knob is None:
            raise NameError(f"knob {name} does not exist")
        return knob

    def __hash__(self):
        return id(self)

    def Class(self):
        return self._kind

    def name(self):
        self._alive()
        return self._knobs["name"].value()

    def fullName(self):
        above = self._parent
        return self.name() if above is None or above is running.state.root else f"{above.fullName()}.{self.name()}"

    def setName(self, name, uncollide=True, updateExpressions=False):
        taken = {node.name() for node in self._parent._nodes if node is not self}
        if name in taken and not uncollide:
            raise ValueError(f"{name} is taken")
        self._knobs["name"].setValue(free_name(name, taken))

    def parent(self):
        return self._parent

    def knob(self, name, follow_link=False):
        self._alive()
        return self._knobs.get(name)

    def knobs(self):
        self._alive()
        return dict(self._knobs)

    def allKnobs(self):
        return list(self._knobs.values())

    def addKnob(self, knob):
        if knob.name() in self._knobs:
            raise ValueError(f"{self.name()} has a knob {knob.name()} already")
        knob._user = True
        self._take(knob)
        undo.remember(lambda: self._knobs.pop(knob._name))

    def removeKnob(self, knob):
        if not knob._user:
            raise ValueError(f"{knob.name()} is no user knob")
        del self._knobs[knob.name()]

    def setXYpos(self, x, y):
        self._knobs["xpos"].setValue(int(x))
        self._knobs["ypos"].setValue(int(y))

    def xpos(self):
        return self._knobs["xpos"].value()

    def ypos(self):
        return self._knobs["ypos"].value()

    def setSelected(self, selected):
        self._knobs["selected"]._hold((bool(selected), {}, None))

    def isSelected(self):
        return self._knobs["selected"].value()

    def showControlPanel(self, forceFloat=False):
        if not running.state.gui:
            raise RuntimeError("there are no panels in terminal mode")

    def maxInputs(self):
        return classes.INPUTS.get(self._kind, 1)

    def maximumInputs(self):
        return self.maxInputs()

    def inputs(self):
        return max(self._inputs, default=-1) + 1

    def input(self, index):
        self._alive()
        return self._inputs.get(index)

    def setInput(self, index, node):
        if index >= self.maxInputs():
            return False
        if node is not None and (node is self or self in node._above()):
            return False
        before = self._inputs.get(index)
        self._wire(index, node)
        undo.remember(lambda: self._wire(index, before))
        self._touch()
        return True

    def connectInput(self, index, node):
        return self.setInput(index, node)

    def dependencies(self, mask):
        return [node for node in self._inputs.values() if node is not None]

    def dependent(self, mask, forceEvaluate=True):
        return [node for node in self._parent._nodes if self in node._inputs.values()]

    def width(self):
        return self.format().width()

    def height(self):
        return self.format().height()

    def format(self):
        source = self._source()
        if source is not self:
            return source.format() if source is not None else running.state.root["format"].value()
        if self._kind == "Read":
            told = self._probed()
            return Format(told["width"], told["height"]) if told else self["format"].value()
        if self._kind == "Reformat" and self["type"].value() == "to box":
            return Format(self["box_width"].value(), self["box_height"].value())
        return self["format"].value() if "format" in self._knobs else running.state.root["format"].value()

    def firstFrame(self):
        return self._range()[0]

    def lastFrame(self):
        return self._range()[1]

    def channels(self):
        source = self._source()
        if source is not self:
            return source.channels() if source is not None else []
        if self._kind == "Read":
            told = self._probed()
            return told["channels"] if told else []
        if self._kind == "Constant" and self["channels"].value() == "rgb":
            return ["rgba.red", "rgba.green", "rgba.blue"]
        return ["rgba.red", "rgba.green", "rgba.blue", "rgba.alpha"]

    def metadata(self, key=None, time=None, view=None):
        source = self._source()
        told = source._probed() if source is not None and source._kind == "Read" else None
        found = told["metadata"] if told else {}
        return found if key is None else found.get(key)

    def hasError(self):
        return self.error()

    def error(self):
        if any(isinstance(knob, knobs.Array_Knob) and knob._broken() for knob in self._knobs.values()):
            return True
        return self._kind == "Read" and self["on_error"].value() == "error" and self._probed() is None

    def treeHasError(self):
        return self.error() or any(node.error() for node in self._above())

    def screenWidth(self):
        return 80

    def screenHeight(self):
        return 20

    def writeKnobs(self, flags=0):
        return "\n".join(f"{knob._name} {knob.toScript()}" for knob in self._knobs.values() if knob._not_default())

    def readKnobs(self, text):
        parts = tcl.words(text)
        for name, value in zip(parts[::2], parts[1::2]):
            self._knobs[name].fromScript(value)

    # ------------------------------------------------------------------ not Nuke's

    def _alive(self):
        if object.__getattribute__(self, "_gone"):
            raise ValueError("A PythonObject is not attached to a node")

    def _take(self, knob):
        knob._node = self
        self._knobs[knob._name] = knob

    def _wire(self, index, node):
        if node is None:
            self._inputs.pop(index, None)
        else:
            self._inputs[index] = node

    def _above(self):
        found, waiting = [], list(self._inputs.values())
        while waiting:
            node = waiting.pop()
            if node is not None and node not in found:
                found.append(node)
                waiting.extend(node._inputs.values())
        return found

    def _source(self):
        """The node that decides on size, range and channels: this one, or the first of those above that does."""
        alone = self._kind == "Rectangle" and 0 not in self._inputs
        if alone or self._kind in ("Read", "Constant", "Reformat", "Root"):
            return self
        if self._kind == "Input":
            above = self._parent._inputs.get(self["number"].value())
            return None if above is None else above._source()
        if isinstance(self, Group):
            inside = next((node for node in self._nodes if node._kind == "Output"), None)
            return None if inside is None else inside._source()
        index = int(self["which"].value()) if self._kind == "Switch" else 0
        above = self._inputs.get(index)
        return None if above is None else above._source()

    def _range(self):
        source = self._source()
        if source is not None and source._kind == "Read":
            return source["first"].value(), source["last"].value()
        if source is not None and source._kind == "Reformat" and 0 in source._inputs:
            return source._inputs[0]._range()
        root = running.state.root
        return root["first_frame"].value(), root["last_frame"].value()

    def _probed(self):
        try:
            return engine_line.ask("probe", file=self["file"].value(), frame=self["first"].value())
        except RuntimeError:
            return None

    def _touch(self):
        if running.state.root is not None:
            running.state.root._modified = True

    def _grow(self, knob):
        """A Write has the knobs of its kind of file, and no others."""
        if (
            self._kind == "Write"
            and knob._name == "file_type"
            and knob.value() == "exr"
            and "datatype" not in self._knobs
        ):
            for name, make, default in classes.EXR:
                self._take(classes.make(make, name, default))

    def _heard(self, knob):
        self._grow(knob)
        with self._being_asked(knob):
            if self._knobs["knobChanged"].value():
                exec(self._knobs["knobChanged"].value(), {"nuke": __import__("nuke")})
            callbacks.call("knobChanged", self)

    @contextmanager
    def _being_asked(self, knob=None):
        running.state.nodes.append(self)
        running.state.knobs.append(knob)
        inside = isinstance(self, Group) and knob is not None
        if inside:
            running.state.groups.append(self)
        try:
            yield
        finally:
            running.state.nodes.pop()
            running.state.knobs.pop()
            if inside:
                running.state.groups.pop()


class Group(Node):
    def __init__(self, kind, parent):
        super().__init__(kind, parent)
        self._nodes = []

    def maxInputs(self):
        return len([node for node in self._nodes if node._kind == "Input"])

    def nodes(self):
        self._alive()
        return list(self._nodes)

    def node(self, name):
        first, _, rest = name.partition(".")
        found = next((node for node in self._nodes if node.name() == first), None)
        return found.node(rest) if rest and found is not None else found

    def numNodes(self):
        return len(self._nodes)

    def begin(self):
        running.state.groups.append(self)
        return self

    def end(self):
        running.state.groups.pop()

    def __enter__(self):
        return self.begin()

    def __exit__(self, kind, value, trace):
        self.end()


class Root(Group):
    def __init__(self):
        super().__init__("Root", None)
        self._modified = False

    def name(self):
        return "root"

    def fullName(self):
        return "root"

    def modified(self):
        return self._modified

    def setModified(self, modified):
        self._modified = bool(modified)

    def fps(self):
        return int(self["fps"].value())

    def realFps(self):
        return self["fps"].value()

    def firstFrame(self):
        return self["first_frame"].value()

    def lastFrame(self):
        return self["last_frame"].value()

    def _source(self):
        return self


def free_name(wanted, taken):
    """As Nuke does: the name with the next free number."""
    if wanted not in taken:
        return wanted
    stem = wanted.rstrip("0123456789")
    number = 1
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"


def make(kind, parent=None, reading=False):
    """A node of a class in a group. Raises RuntimeError for a class that is not here."""
    if kind not in classes.OWN or kind == "Root":
        raise RuntimeError(f"{kind}: Unknown command")
    parent = parent or running.state.group()
    node = (Group if kind in ("Group", "Gizmo") else Node)(kind, parent)
    taken = {each.name() for each in parent._nodes}
    node._knobs["name"]._hold(free_name(f"{kind}1", taken))
    if kind == "Input":
        node._knobs["number"]._hold((sum(each._kind == "Input" for each in parent._nodes), {}, None))
    parent._nodes.append(node)
    undo.remember(lambda: remove(node))
    if not reading:
        node._touch()
    return node


def remove(node):
    """`nuke.delete`: its wires go with it."""
    parent, at = node._parent, node._parent._nodes.index(node)
    wires = [(other, index) for other in parent._nodes for index, above in other._inputs.items() if above is node]
    with node._being_asked():
        callbacks.call("onDestroy", node)
    parent._nodes.remove(node)
    for other, index in wires:
        other._wire(index, None)
    node._gone = True

    def back():
        node._gone = False
        parent._nodes.insert(at, node)
        for other, index in wires:
            other._wire(index, node)

    undo.remember(back)
    node._touch()


__all__ = ["Group", "Node", "Root", "colour", "free_name", "make", "remove"]

"""Knobs of text, and what all knobs share: what they hold, how a script has them, who hears that one changed."""

from . import state as running
from . import tcl, undo
from .spec import spec
from .threads import Guarded

INVISIBLE, STARTLINE, ENDLINE, DISABLED, NO_ANIMATION, DO_NOT_WRITE, READ_ONLY = (
    0x400,
    0x1000,
    0x2000,
    0x80,
    0x100,
    0x200000,
    0x10000000,
)
FLAGS = {"INVISIBLE": INVISIBLE, "STARTLINE": STARTLINE, "DISABLED": DISABLED, "DO_NOT_WRITE": DO_NOT_WRITE}


class Knob(Guarded):
    code = None
    """Number by which `addUserKnob` makes one; None where users make none."""
    _default = ""

    def __init__(self, name, label=None):
        self._name, self._label, self._node, self._flags, self._tooltip = name, label, None, 0, ""
        self._value, self._user, self._enabled, self._visible = self._default, False, True, True

    def __getattr__(self, name):
        if name in spec().methods(type(self).__name__):
            raise NotImplementedError(f"the stand-in has no {type(self).__name__}.{name}")
        raise AttributeError(f"{type(self).__name__} has no {name} in Nuke")

    def Class(self):
        return type(self).__name__

    def name(self):
        return self._name

    def setName(self, name):
        self._name = name

    def label(self):
        return self._label if self._label is not None else self._name

    def setLabel(self, label):
        self._label = label

    def node(self):
        return self._node

    def tooltip(self):
        return self._tooltip

    def setTooltip(self, tooltip):
        self._tooltip = tooltip

    def enabled(self):
        return self._enabled and not self._flags & DISABLED

    def setEnabled(self, enabled):
        self._enabled = bool(enabled)

    def visible(self):
        return self._visible and not self._flags & INVISIBLE

    def setVisible(self, visible):
        self._visible = bool(visible)

    def setFlag(self, flag):
        self._flags |= flag

    def clearFlag(self, flag):
        self._flags &= ~flag

    def getFlag(self, flag):
        return bool(self._flags & flag)

    def fullyQualifiedName(self, channel=-1):
        return f"{self._node.fullName()}.{self._name}"

    def isAnimated(self, channel=-1):
        return False

    def hasExpression(self, index=-1):
        return False

    def value(self):
        return self._value

    getValue = value

    def setValue(self, value):
        self._set(self._checked(value))
        return True

    def _checked(self, value):
        if not isinstance(value, str):
            raise TypeError(f"{type(self).__name__}.setValue: argument 1 must be str, not {type(value).__name__}")
        return value

    def _not_default(self):
        return self._value != self._default

    def toScript(self):
        return tcl.quoted(self._script())

    def fromScript(self, text):
        self._set(self._read(text))

    def _script(self):
        return str(self._value)

    def _read(self, text):
        return text

    def _set(self, value):
        before = self._held()
        self._hold(value)
        if self._held() == before:
            return
        undo.remember(lambda: self._hold(before))
        self._changed()

    def _held(self):
        return self._value

    def _hold(self, value):
        self._value = value

    def _changed(self):
        node = self._node
        if node is None or running.state.reading:
            return
        node._touch()
        node._heard(self)

    def _declared(self):
        """What `addUserKnob` has beside number, name and label."""
        return []

    def _declare(self, node, more):
        """Take over the rest of an `addUserKnob` list."""
        rest = list(more)
        while rest:
            word = rest.pop(0)
            if word in ("l", "t", "T", "M", "R") or (word in ("n", "N") and rest):
                self._option(word, [rest.pop(0), rest.pop(0)] if word == "R" else rest.pop(0))
            elif word and word[0] in "+-" and word[1:] in FLAGS:
                self._flags = self._flags | FLAGS[word[1:]] if word[0] == "+" else self._flags & ~FLAGS[word[1:]]
            else:
                raise tcl.TclTrouble(f"addUserKnob {self._name}: {word} is nothing that Nuke knows")

    def _option(self, letter, value):
        if letter == "l":
            self._label = value
        elif letter == "t":
            self._tooltip = value
        else:
            raise tcl.TclTrouble(f"addUserKnob {self._name}: a {type(self).__name__} takes no {letter}")


class String_Knob(Knob):
    code = 1

    def __init__(self, name, label=None, value=""):
        super().__init__(name, label)
        self._value = value

    def getText(self):
        return self._value


class EvalString_Knob(String_Knob):
    code = None

    def evaluate(self):
        return tcl.substitute(self._value)


class Multiline_Eval_String_Knob(EvalString_Knob):
    code = 43


class File_Knob(EvalString_Knob):
    code = 2

    def fromUserText(self, text):
        """A name and a range, as from the file browser: "plate.%04d.exr 1001-1010"."""
        name, _, numbers = text.rpartition(" ")
        first, _, last = numbers.partition("-")
        if not (name and first.isdigit() and last.isdigit()):
            name, first = text, ""
        self._set(name)
        if first:
            for knob, value in (("first", first), ("last", last), ("origfirst", first), ("origlast", last)):
                self._node[knob].setValue(int(value))


class Script_Knob(String_Knob):
    code = None

    def command(self):
        return self._value


class PyScript_Knob(Script_Knob):
    code = 22

    def __init__(self, name, label=None, command=""):
        super().__init__(name, label, command)

    def _option(self, letter, value):
        if letter == "T":
            self._value = value
        else:
            super()._option(letter, value)

    def _declared(self):
        return ["T", self._value]

    def execute(self):
        """Press the button."""
        with self._node._being_asked(self):
            exec(self._value, {"__name__": "__main__", "nuke": __import__("nuke")})


class PythonKnob(String_Knob):
    code = None


class Tab_Knob(Knob):
    code = 20


class Text_Knob(Knob):
    code = 26

    def __init__(self, name, label=None, value=""):
        super().__init__(name, label)
        self._value = value

    def _option(self, letter, value):
        if letter == "T":
            self._value = value
        else:
            super()._option(letter, value)

    def _declared(self):
        return ["T", self._value] if self._value else []

"""Knobs of numbers and choices, which keys or an expression may move; with those of text, all knobs there are."""

from . import state as running
from . import tcl
from .textknobs import (
    DISABLED,
    DO_NOT_WRITE,
    ENDLINE,
    FLAGS,
    INVISIBLE,
    NO_ANIMATION,
    READ_ONLY,
    STARTLINE,
    EvalString_Knob,
    File_Knob,
    Knob,
    Multiline_Eval_String_Knob,
    PyScript_Knob,
    PythonKnob,
    Script_Knob,
    String_Knob,
    Tab_Knob,
    Text_Knob,
)


class _Drawn(dict):
    """Keys as a script had them, with the text that has their slopes too; it is written back as it was."""

    text = ""


class Array_Knob(Knob):
    """A number that keys or an expression may move."""

    _default = 0.0
    _number = float

    def __init__(self, name, label=None):
        super().__init__(name, label)
        self._keys, self._expression, self._range = {}, None, None

    def _option(self, letter, value):
        if letter == "R":
            self._range = (float(value[0]), float(value[1]))
        else:
            super()._option(letter, value)

    def _declared(self):
        return [] if self._range is None else ["R", f"{self._range[0]:g}", f"{self._range[1]:g}"]

    def notDefault(self):
        return self._not_default()

    def setRange(self, low, high):
        self._range = (low, high)

    def min(self):
        return self._range[0] if self._range else 0.0

    def max(self):
        return self._range[1] if self._range else 1.0

    def defaultValue(self):
        return self._default

    def setValue(self, value, channel=0, time=None):
        value = self._checked(value)
        if time is not None:
            return self.setValueAt(value, time)
        if self._expression is not None:
            return False
        if self._keys:
            return self.setValueAt(value, running.state.frame)
        self._set((value, {}, None))
        return True

    def _checked(self, value):
        if isinstance(value, str) or not isinstance(value, (int, float)):
            raise TypeError(f"{type(self).__name__}.setValue: a number is needed, not {type(value).__name__}")
        return self._number(value)

    def value(self, channel=0):
        return self.valueAt(running.state.frame)

    def getValue(self, channel=0):
        return float(self.valueAt(running.state.frame))

    def valueAt(self, time, channel=0):
        if self._expression is not None:
            try:
                return self._number(tcl.evaluate(self._expression, time, self._look_up))
            except tcl.TclTrouble:
                return self._number(0)
        return self._number(self._curve(time)) if self._keys else self._value

    def getValueAt(self, time, channel=0):
        return float(self.valueAt(time))

    def setValueAt(self, value, time, channel=0):
        self._set((self._value, {**self._keys, float(time): self._number(value)}, self._expression))
        return True

    def setAnimated(self, channel=0):
        self._set((self._value, self._keys or {float(running.state.frame): self._value}, self._expression))
        return True

    def clearAnimated(self, channel=0):
        self._set((self.valueAt(running.state.frame), {}, None))
        return True

    def isAnimated(self, channel=0):
        return bool(self._keys) or self._expression is not None

    def hasExpression(self, channel=0):
        return self._expression is not None

    def setExpression(self, expression, channel=-1):
        self._set((self._value, {}, expression))
        return True

    def getNumKeys(self, channel=0):
        return len(self._keys)

    def getKeyList(self):
        return sorted(self._keys)

    def _broken(self):
        """Not Nuke's: whether the expression cannot be evaluated; Nuke shows the node in error."""
        if self._expression is None:
            return False
        try:
            tcl.evaluate(self._expression, running.state.frame, self._look_up)
        except tcl.TclTrouble:
            return True
        return False

    def _look_up(self, name):
        node, _, knob = name.rpartition(".")
        above = self._node.parent()
        found = self._node if not node else above if node == "parent" else above.node(node)
        if found is not None and knob in ("width", "height"):
            return getattr(found, knob)()
        if found is None or knob not in found.knobs():
            raise LookupError(f"nothing is called {name}")
        return found[knob].value()

    def _curve(self, time):
        """Straight lines between keys, as `curve L` is."""
        times = sorted(self._keys)
        if time <= times[0]:
            return self._keys[times[0]]
        for before, after in zip(times, times[1:]):
            if time <= after:
                part = (time - before) / (after - before)
                return self._keys[before] + part * (self._keys[after] - self._keys[before])
        return self._keys[times[-1]]

    def _not_default(self):
        return bool(self._keys) or self._expression is not None or self._value != self._default

    def _held(self):
        return self._value, self._keys, self._expression

    def _hold(self, held):
        self._value, self._keys, self._expression = held

    def _script(self):
        if self._expression is not None:
            return tcl.listed(self._expression)
        if isinstance(self._keys, _Drawn):
            return tcl.listed(self._keys.text)
        if self._keys:
            points = [word for time in sorted(self._keys) for word in (f"x{time:g}", self._text(self._keys[time]))]
            return tcl.listed(tcl.listed("curve", "L", *points))
        return self._text(self._value)

    def _text(self, value):
        return repr(value) if isinstance(value, int) else f"{value:.9g}"

    def _read(self, text):
        try:
            return self._number(float(text)), {}, None
        except ValueError:
            pass
        (inner,) = tcl.words(text)
        said = tcl.words(inner)
        if said[0] != "curve":
            return self._default, {}, inner
        keys, time = _Drawn(), 0.0
        keys.text = inner
        for word in said[1:]:
            if word[0].isalpha() and word[0] != "x":
                continue
            if word[0] == "x":
                time = float(word[1:])
            else:
                keys[time] = self._number(float(word))
                time += 1
        return self._default, keys, None


class Double_Knob(Array_Knob):
    code = 7


class Int_Knob(Array_Knob):
    code = 3
    _default = 0
    _number = int

    def setValue(self, value):
        return Array_Knob.setValue(self, value)

    def value(self):
        return Array_Knob.value(self)


class Boolean_Knob(Array_Knob):
    code = 6
    _default = False
    _number = bool

    def setValue(self, value):
        return Array_Knob.setValue(self, value)

    def value(self):
        return Array_Knob.value(self)

    def _text(self, value):
        return "true" if value else "false"

    def _read(self, text):
        if text in ("true", "false"):
            return text == "true", {}, None
        return super()._read(text)


class Disable_Knob(Boolean_Knob):
    code = None


class Unsigned_Knob(Array_Knob):
    code = None
    _default = 0
    _number = int

    def setValue(self, value):
        return Array_Knob.setValue(self, value)

    def value(self):
        return Array_Knob.value(self)


class Enumeration_Knob(Unsigned_Knob):
    code = 4

    def __init__(self, name, label=None, values=()):
        super().__init__(name, label)
        self._values = [str(value) for value in values]
        self._value = self._values[0] if self._values else ""
        self._default = self._value

    def _option(self, letter, value):
        if letter == "M":
            self._values = tcl.words(value)
            self._value = self._default = self._values[0] if self._values else ""
        else:
            super()._option(letter, value)

    def _declared(self):
        return ["M", tcl.listed(*self._values)]

    def values(self):
        return list(self._values)

    def setValues(self, values):
        self._values = [str(value) for value in values]

    def numValues(self):
        return len(self._values)

    def enumName(self, number):
        return self._values[number]

    def value(self):
        return self._value

    def getValue(self, channel=0):
        return float(self._values.index(self._value)) if self._value in self._values else 0.0

    def valueAt(self, time, channel=0):
        """The item's number: so Nuke tells it, moving or not."""
        if self._keys or self._expression is not None:
            return float(int(Array_Knob.valueAt(self, time)))
        return self.getValue()

    def _curve(self, time):
        before = [at for at in self._keys if at <= time] or [min(self._keys)]
        return self._keys[max(before)]

    def setValueAt(self, value, time, channel=0):
        number = self._values.index(value) if isinstance(value, str) else int(value)
        self._set((self._value, {**self._keys, float(time): number}, self._expression))
        return True

    def _checked(self, value):
        if isinstance(value, str):
            if value not in self._values:
                raise TypeError(f"{self._name} has no item {value!r}")
            return value
        return self._values[int(value)]

    def _text(self, value):
        return value

    def _read(self, text):
        return text, {}, None


class Format_Knob(Knob):
    def __init__(self, name, label=None):
        super().__init__(name, label)
        self._value = None

    def _checked(self, value):
        return value if isinstance(value, str) else value.name()

    def _script(self):
        from . import formats

        return formats.described(self._value)

    def _read(self, text):
        from . import formats

        return formats.taken(text)

    def notDefault(self):
        return self._not_default()

    def value(self):
        from . import formats

        if self._value is None and self._name == "format" and self._node is not None:
            return running.state.root["format"].value() if self._node is not running.state.root else formats.find("")
        return formats.find(self._value)

    def _not_default(self):
        return self._value is not None


class Channel_Knob(Knob):
    code = None


USER = {kind.code: kind for kind in (String_Knob, File_Knob, Int_Knob, Enumeration_Knob, Boolean_Knob, Double_Knob)}
USER.update({kind.code: kind for kind in (Tab_Knob, PyScript_Knob, Text_Knob, Multiline_Eval_String_Knob)})

__all__ = [
    "DISABLED",
    "DO_NOT_WRITE",
    "ENDLINE",
    "FLAGS",
    "INVISIBLE",
    "NO_ANIMATION",
    "READ_ONLY",
    "STARTLINE",
    "USER",
    "Array_Knob",
    "Boolean_Knob",
    "Channel_Knob",
    "Disable_Knob",
    "Double_Knob",
    "Enumeration_Knob",
    "EvalString_Knob",
    "File_Knob",
    "Format_Knob",
    "Int_Knob",
    "Knob",
    "Multiline_Eval_String_Knob",
    "PyScript_Knob",
    "PythonKnob",
    "Script_Knob",
    "String_Knob",
    "Tab_Knob",
    "Text_Knob",
    "Unsigned_Knob",
]

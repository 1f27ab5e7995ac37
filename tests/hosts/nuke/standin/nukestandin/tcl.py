"""Real Tcl: the language of Nuke's scripts, knob values and expressions. Nothing here guesses at its grammar."""

import math
import re
import tkinter

_NAME = re.compile(r"(?<![\w.])([A-Za-z_][\w.]*)(?!\s*\()\b")


class TclTrouble(RuntimeError):
    """The text is no Tcl."""


def interpreter():
    """A Tcl without what reaches outside: scripts are data here."""
    tcl = tkinter.Tcl()
    for command in ("exec", "open", "socket", "file", "glob", "cd", "load", "source"):
        tcl.eval(f"rename {command} {{}}")
    return tcl


_LISTS = interpreter()


def words(text):
    """The elements of a Tcl list. Raises `TclTrouble` where the text is none."""
    try:
        return [str(word) for word in _LISTS.tk.splitlist(_LISTS.call("lrange", text, 0, "end"))]
    except tkinter.TclError as trouble:
        raise TclTrouble(str(trouble)) from trouble


def listed(*values):
    """Values as a Tcl list, quoted by Tcl itself."""
    _LISTS.call("set", "made", "")
    for value in values:
        _LISTS.call("lappend", "made", value)
    return str(_LISTS.eval("set made"))


def quoted(value):
    """One value as one word of a script."""
    word = listed(value)
    return "{" + word[1:] if word.startswith("\\#") else word


def complete(text):
    """Whether every brace and quote is closed."""
    return _LISTS.eval("info complete " + listed(text)) == "1"


def evaluate(expression, frame, look_up):
    """A knob's expression at a frame; `look_up(name)` gives other knobs' values. Raises `TclTrouble`."""

    def value_of(match):
        name = match[1]
        if name in ("frame", "t", "x"):
            return repr(float(frame))
        if name == "pi":
            return repr(math.pi)
        return repr(float(look_up(name)))

    try:
        return float(_LISTS.eval("expr " + listed(_NAME.sub(value_of, expression))))
    except (tkinter.TclError, LookupError, ValueError) as trouble:
        raise TclTrouble(f"{expression}: {trouble}") from trouble


def substitute(text):
    """A string knob's text with its [commands] run, as Nuke evaluates file names. Raises `TclTrouble`."""
    tcl = interpreter()
    try:
        return str(tcl.eval("subst -nobackslashes -novariables " + listed(text)))
    except tkinter.TclError as trouble:
        raise TclTrouble(str(trouble)) from trouble

"""Formats: named sizes, which the root and pictures have."""

from . import tcl
from .threads import Guarded


class Format(Guarded):
    def __init__(self, width, height, aspect=1.0, name=""):
        self._width, self._height, self._aspect, self._name = int(width), int(height), float(aspect), name

    def width(self):
        return self._width

    def height(self):
        return self._height

    def pixelAspect(self):
        return self._aspect

    def name(self):
        return self._name


_KNOWN = {}


def reset():
    _KNOWN.clear()
    for width, height, name in ((2048, 1556, "2K_Super_35(full-ap)"), (1920, 1080, "HD_1080")):
        _KNOWN[name] = Format(width, height, 1.0, name)


def add(text):
    """`nuke.addFormat("64 32 1 small")`."""
    words = text.split()
    if len(words) < 3:
        raise RuntimeError(f"a format is width, height and a name: {text}")
    size, rest = words[:2], words[2:]
    aspect = rest.pop(0) if len(rest) > 1 else "1"
    made = Format(size[0], size[1], aspect, " ".join(rest))
    _KNOWN[made._name] = made
    return made


def find(name):
    return _KNOWN.get(name) or next(iter(_KNOWN.values()))


def described(name):
    found = find(name)
    return f"{found._width} {found._height} 0 0 {found._width} {found._height} {found._aspect:g} {found._name}"


def taken(text):
    """A format as scripts have it; returns its name."""
    words = tcl.words(text)
    if len(words) < 8:
        return text
    made = Format(words[0], words[1], words[6], " ".join(words[7:]))
    _KNOWN[made._name] = made
    return made._name


reset()

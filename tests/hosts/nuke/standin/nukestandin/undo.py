"""Undo: what was changed between `begin` and `end` is taken back as one."""

from .threads import Guarded

_done, _open, _off = [], [], [0]


def remember(back):
    """Note how to take a change back; a change outside of a group is a group of its own."""
    if _off[0]:
        return
    (_open[-1][1] if _open else _new("")).append(back)


def _new(name):
    _done.append((name, []))
    return _done[-1][1]


def forget():
    """Another script: nothing of the last one can be undone."""
    del _done[:], _open[:]


class Undo(Guarded):
    """`nuke.Undo`: all of its methods are the class's own."""

    @classmethod
    def begin(cls, name=""):
        _open.append((name, []))

    @classmethod
    def name(cls, name):
        last = _open.pop()
        _open.append((name, last[1]))

    @classmethod
    def end(cls):
        name, steps = _open.pop()
        if _open:
            _open[-1][1].extend(steps)
        elif steps:
            _done.append((name, steps))

    @classmethod
    def cancel(cls):
        _name, steps = _open.pop()
        _back(steps)

    @classmethod
    def disable(cls):
        _off[0] += 1

    @classmethod
    def enable(cls):
        _off[0] = max(0, _off[0] - 1)

    @classmethod
    def disabled(cls):
        return bool(_off[0])

    @classmethod
    def undo(cls):
        if _done:
            _back(_done.pop()[1])

    @classmethod
    def undoSize(cls):
        return len(_done)

    @classmethod
    def undoDescribe(cls, index):
        return _done[-1 - index][0]

    def __enter__(self):
        type(self).begin()
        return self

    def __exit__(self, kind, value, trace):
        type(self).end()


def _back(steps):
    Undo.disable()
    try:
        for step in reversed(steps):
            step()
    finally:
        Undo.enable()

"""`nuke.ProgressTask`: a bar with a Cancel button, there as long as the object is."""

import threading
import weakref

_shown = weakref.WeakSet()


class ProgressTask:
    """May be used from any thread, as Nuke's is."""

    def __init__(self, name=""):
        self._name, self._message, self._progress, self._cancelled = name, "", 0, False
        self._thread = threading.current_thread()
        _shown.add(self)

    def setMessage(self, message):
        if not isinstance(message, str):
            raise TypeError("setMessage: a string is needed")
        self._message = message

    def setProgress(self, percent):
        if not isinstance(percent, int):
            raise TypeError("setProgress: an integer is needed")
        self._progress = percent

    def isCancelled(self):
        return self._cancelled


def shown():
    """The bars on the screen: (name, message, percent)."""
    return [(task._name, task._message, task._progress) for task in list(_shown)]


def press_cancel(name):
    for task in list(_shown):
        if name in task._name:
            task._cancelled = True

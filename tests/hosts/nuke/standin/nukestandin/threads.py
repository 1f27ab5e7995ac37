"""Nuke's rule of threads: nodes and knobs belong to the main thread, and what others want done there waits its turn.

Real Nuke does worse than refuse: it freezes or falls over. `idle()` is the moment when the artist does nothing and
Nuke works off what other threads have asked for.
"""

import queue
import threading
import time

MAIN = threading.main_thread()
_waiting = queue.Queue()


class WrongThread(RuntimeError):
    """A call that would freeze or crash Nuke."""


def check(what):
    if threading.current_thread() is not MAIN:
        raise WrongThread(f"{what} was called outside Nuke's main thread")


def execute_in_main_thread(call, args=(), kwargs=None):
    """`nuke.executeInMainThread`: from another thread only."""
    if threading.current_thread() is MAIN:
        raise WrongThread("executeInMainThread was called in the main thread, where Nuke freezes")
    if not isinstance(args, tuple):
        args = (args,)
    _waiting.put((call, args, kwargs or {}, None))


def execute_with_result(call, args=(), kwargs=None):
    """`nuke.executeInMainThreadWithResult`: waits for the main thread."""
    if threading.current_thread() is MAIN:
        raise WrongThread("executeInMainThreadWithResult was called in the main thread, where Nuke freezes")
    answer = queue.Queue()
    _waiting.put((call, args if isinstance(args, tuple) else (args,), kwargs or {}, answer))
    return answer.get()


def idle(seconds=0.0):
    """The artist's hands rest for so long: the main thread does what waits. Returns how much that was."""
    until, done = time.monotonic() + seconds, 0
    while True:
        try:
            call, args, kwargs, answer = _waiting.get(timeout=max(0.0, min(0.02, until - time.monotonic())))
        except queue.Empty:
            if time.monotonic() >= until:
                return done
            continue
        result = call(*args, **kwargs)
        done += 1
        if answer is not None:
            answer.put(result)


class Guarded:
    """Everything public of it is for the main thread."""

    def __getattribute__(self, name):
        if name[0] != "_":
            check(f"{type(self).__name__}.{name}")
        return object.__getattribute__(self, name)

"""Building tens of thousands of small objects without the collector looking through all of them again and again.

What a graph is made of goes when nobody holds it; the collector only finds rings, of which there are none here.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_pausing = 0


@contextmanager
def no_collecting() -> Iterator[None]:
    """No search for garbage rings while the block runs, in any thread."""
    global _pausing  # noqa: PLW0603 (the collector is one for the process)
    with _lock:
        was_on = gc.isenabled() or _pausing > 0
        _pausing += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _pausing -= 1
            if was_on and _pausing == 0:
                gc.freeze()
                gc.unfreeze()
                gc.enable()

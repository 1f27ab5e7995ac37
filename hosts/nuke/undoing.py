"""What the artist takes back as one step; what went wrong half way is taken back at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import nuke


@contextmanager
def one_step(name: str) -> Iterator[None]:
    """Changes in here are one entry of Edit > Undo; an exception undoes them."""
    step = nuke.Undo()
    step.begin(name)
    try:
        yield
    except BaseException:
        step.cancel()
        raise
    step.end()


@contextmanager
def no_step() -> Iterator[None]:
    """Changes in here are none of the artist's: undo knows nothing of them."""
    nuke.Undo.disable()
    try:
        yield
    finally:
        nuke.Undo.enable()

"""Sentences reach the artist in Nuke's own way: a message where there is a window, a line where there is none."""

from __future__ import annotations

import sys
from typing import Any

import nuke

from ..bridge.errors import BridgeError
from . import marks
from .undoing import no_step


class Refused(BridgeError):
    """What was asked for cannot be done as things are."""


def message(sentence: str) -> None:
    """A dialog in Nuke's window; in terminal mode, where nobody could close it, a line on standard error."""
    if nuke.GUI:
        nuke.message(sentence)
    else:
        print(sentence, file=sys.stderr)


def status(node: Any, sentence: str) -> None:
    """On the node itself, where it stays."""
    with no_step():
        node[marks.STATUS].setValue(sentence)

"""Words of Nuke's scripts. Any text is one word: nothing an artist types may close a brace or run a command."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[\w./:%+-]+")
_MARKED = re.compile(r'([\\"\[\]${}])')


def word(value: object) -> str:
    """One word that Tcl reads as `value`, both in a list and in a command."""
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    return '"' + _MARKED.sub(r"\\\1", text).replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def listed(*values: object) -> str:
    """A list as one braced word; its elements may be any text."""
    return "{" + " ".join(word(value) for value in values) + "}"

"""The text of Nuke's scripts, which is Tcl: words and commands, written and read.

Nuke reads scripts as Tcl does, so what is written here is tested by evaluating it in a real Tcl interpreter. Reading
needs none: hosts' Pythons come without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..bridge.errors import BridgeError

_BARE = re.compile(r"[A-Za-z0-9_.:/%@+*,-]+")
_ESCAPED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\v": "\\v", "\f": "\\f", "\b": "\\b", "\a": "\\a"}
_MEANT = {sign[1]: char for char, sign in _ESCAPED.items()}
_SPECIAL = '\\"$[]{};#'
_BLANK = " \t\r"
Command = list[str]


def quoted(text: str) -> str:
    """`text` as one word: bare where it can be, else in quotes, with all that Tcl would act on escaped."""
    if _BARE.fullmatch(text):
        return text
    return '"' + "".join(_sign(char) for char in text) + '"'


def _sign(char: str) -> str:
    if char in _ESCAPED:
        return _ESCAPED[char]
    if char in _SPECIAL:
        return "\\" + char
    return f"\\u{ord(char):04x}" if ord(char) < 32 or ord(char) == 127 else char


def listed(items: Iterable[str]) -> str:
    """A list as one word."""
    return "{" + " ".join(quoted(item) for item in items) + "}"


def commands(text: str) -> list[Command]:
    """The commands of a script, each as its words: braces and quotes taken off, escapes resolved, "[...]" as it is.

    Raises `BridgeError` where braces, quotes or brackets do not close.
    """
    return _Reader(text).commands()


def words(text: str) -> list[str]:
    """The items of a list."""
    return [word for command in _Reader(text, in_list=True).commands() for word in command]


class _Reader:
    def __init__(self, text: str, *, in_list: bool = False) -> None:
        self._text = text
        self._at = 0
        self._ends = "" if in_list else "\n;"
        self._blank = _BLANK + "\n" if in_list else _BLANK

    def commands(self) -> list[Command]:
        found: list[Command] = []
        command: Command = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char in self._blank:
                self._at += 1
            elif self._text.startswith("\\\n", self._at):
                self._at += 2
            elif char in self._ends:
                self._at += 1
                if command:
                    found.append(command)
                command = []
            elif char == "#" and not command and self._ends:
                self._comment()
            else:
                command.append(self._word())
        return [*found, command] if command else found

    def _comment(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _word(self) -> str:
        char = self._text[self._at]
        if char == "{":
            return self._braced()
        if char == '"':
            return self._quoted()
        return self._bare()

    def _braced(self) -> str:
        start, depth = self._at + 1, 0
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "\\":
                self._at += 1
            elif char == "{":
                depth += 1
            elif char == "}":
                depth -= 1
                if not depth:
                    self._at += 1
                    return self._text[start : self._at - 1]
            self._at += 1
        raise _broken("a brace")

    def _quoted(self) -> str:
        self._at += 1
        made: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return "".join(made)
            made.append(self._char())
        raise _broken("a quote")

    def _bare(self) -> str:
        made: list[str] = []
        while self._at < len(self._text) and self._text[self._at] not in self._blank + self._ends:
            bracket = self._ends and self._text[self._at] == "["
            made.append(self._bracketed() if bracket else self._char())
        return "".join(made)

    def _bracketed(self) -> str:
        start, depth = self._at, 0
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 2 if char == "\\" else 1
            depth += (char == "[") - (char == "]")
            if not depth:
                return self._text[start : self._at]
        raise _broken("a bracket")

    def _char(self) -> str:
        """One character, an escape resolved."""
        char = self._text[self._at]
        self._at += 1
        if char != "\\" or self._at >= len(self._text):
            return char
        code = re.compile(r"u([0-9a-fA-F]{1,4})|x([0-9a-fA-F]{1,2})").match(self._text, self._at)
        if code:
            self._at = code.end()
            return chr(int(code[1] or code[2], 16))
        char = self._text[self._at]
        self._at += 1
        return _MEANT.get(char, " " if char == "\n" else char)


def _broken(what: str) -> BridgeError:
    return BridgeError(
        "read the Nuke script", f"{what} in it is not closed", "the whole text as Nuke saved or copied it", code="usage"
    )

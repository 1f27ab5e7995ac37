"""The text of Fusion's settings, which is a Lua table: written and read without Lua.

A table may have a constructor (`Input { ... }`), may be `ordered()`, and has items with and without keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Union

from ..bridge.errors import BridgeError

ORDERED = "ordered()"
_LUAS_OWN = """
    and break do else elseif end false for function if in local nil not or repeat return then true until while
"""
KEYWORDS = frozenset(_LUAS_OWN.split())
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_BLANK = re.compile(r"(?:\s+|--\[\[.*?\]\]|--[^\n]*)+", re.DOTALL)
_LONG = re.compile(r"\[(=*)\[\n?(.*?)\]\1\]", re.DOTALL)
_ESCAPED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}
_MEANT = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
LuaKey = Union[str, float, None]


@dataclass
class Table:
    """A Lua table. `kind` is its constructor, `ORDERED`, or empty. Keys of `items` are texts,
    numbers, or None where an item has none."""

    kind: str = ""
    items: list[tuple[Any, Any]] = field(default_factory=list)

    def get(self, key: LuaKey, default: Any = None) -> Any:
        return next((value for name, value in self.items if name == key), default)

    def table(self, key: LuaKey) -> Table:
        """The table under a key; an empty one where there is none."""
        found = self.get(key)
        return found if isinstance(found, Table) else Table()

    def tables(self) -> Iterator[tuple[str, Table]]:
        """Items that are tables under a name."""
        return ((name, value) for name, value in self.items if isinstance(name, str) and isinstance(value, Table))

    def listed(self) -> list[Any]:
        """Values without keys."""
        return [value for name, value in self.items if name is None]


def made(kind: str = "", *listed: Any, **named: Any) -> Table:
    """A table of `named` items after `listed` ones."""
    return Table(kind, [*((None, value) for value in listed), *named.items()])


def written(value: Any, depth: int = 0) -> str:
    """A value as Lua text."""
    if isinstance(value, Table):
        return _table(value, depth)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
    return _string(str(value))


def _string(text: str) -> str:
    return (
        '"' + "".join(_ESCAPED.get(char) or (char if ord(char) >= 32 else f"\\{ord(char):03d}") for char in text) + '"'
    )


def _table(table: Table, depth: int) -> str:
    head = f"{table.kind} " if table.kind else ""
    if not table.items:
        return f"{head}{{}}"
    rows = [f"{_key(name)}{written(value, depth + 1)}" for name, value in table.items]
    if all(not isinstance(value, Table) for _, value in table.items) and sum(map(len, rows)) < 90:
        return f"{head}{{ {', '.join(rows)} }}"
    inner = "\t" * (depth + 1)
    lines = ",\n".join(inner + row for row in rows)
    return head + "{\n" + lines + "\n" + "\t" * depth + "}"


def _key(name: LuaKey) -> str:
    if name is None:
        return ""
    if isinstance(name, str) and _NAME.fullmatch(name) and name not in KEYWORDS:
        return f"{name} = "
    return f"[{written(name)}] = "


def read(text: str) -> Table:
    """The table of a setting's text. Raises `BridgeError` where it is not one."""
    reader = _Reader(text)
    value = reader.value()
    if not isinstance(value, Table) or not reader.at_end():
        raise _broken("it is not one table")
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._skip()

    def at_end(self) -> bool:
        return self._at >= len(self._text)

    def value(self) -> Any:
        char = self._peek()
        if char == "{":
            return self._items("")
        if char in "\"'":
            return self._string()
        if (long := self._match(_LONG)) is not None:
            return long[2]
        if (number := self._match(_NUMBER)) is not None:
            return _number(number[0])
        return self._named()

    def _named(self) -> Any:
        name = self._name()
        if name in ("true", "false", "nil"):
            return {"true": True, "false": False, "nil": None}[name]
        while self._peek() == ".":
            self._take(".")
            name += "." + self._name()
        if self._peek() == "(":
            self._take("(")
            self._take(")")
            name += "()"
        if self._peek() != "{":
            raise _broken(f'"{name}" stands where a value should be')
        return self._items(name)

    def _items(self, kind: str) -> Table:
        self._take("{")
        table = Table(kind)
        while self._peek() != "}":
            table.items.append(self._item())
            if self._peek() not in ",;}":
                raise _broken(f'after an item stands "{self._peek()}"')
            if self._peek() in ",;":
                self._take(self._peek())
        self._take("}")
        return table

    def _item(self) -> tuple[LuaKey, Any]:
        if self._peek() == "[" and not _LONG.match(self._text, self._at):
            self._take("[")
            key = self.value()
            self._take("]")
            self._take("=")
            return key, self.value()
        start = self._at
        name = self._match(_NAME)
        if name is not None and self._peek() == "=":
            self._take("=")
            return name[0], self.value()
        self._at = start
        return None, self.value()

    def _string(self) -> str:
        quote = self._text[self._at]
        self._at += 1
        parts: list[str] = []
        while self._at < len(self._text) and self._text[self._at] != quote:
            parts.append(self._char())
        if self.at_end():
            raise _broken("a text is not closed")
        self._at += 1
        self._skip()
        return "".join(parts)

    def _char(self) -> str:
        char = self._text[self._at]
        self._at += 1
        if char != "\\":
            return char
        code = re.compile(r"\d{1,3}").match(self._text, self._at)
        if code:
            self._at = code.end()
            return chr(int(code[0]))
        if self.at_end():
            raise _broken("a text is not closed")
        char = self._text[self._at]
        self._at += 1
        return _MEANT.get(char, char)

    def _name(self) -> str:
        found = self._match(_NAME)
        if found is None:
            raise _broken(f'"{self._peek()}" stands where a value should be')
        return found[0]

    def _peek(self) -> str:
        if self.at_end():
            raise _broken("it ends too early")
        return self._text[self._at]

    def _take(self, char: str) -> None:
        if self._peek() != char:
            raise _broken(f'"{self._peek()}" stands where "{char}" should be')
        self._at += 1
        self._skip()

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
            self._skip()
        return found

    def _skip(self) -> None:
        found = _BLANK.match(self._text, self._at)
        if found:
            self._at = found.end()


def _number(text: str) -> float:
    try:
        return int(text, 0)
    except ValueError:
        return float(text)


def _broken(because: str) -> BridgeError:
    return BridgeError("read the Fusion setting", because, "the whole text as Fusion saved or copied it", code="usage")

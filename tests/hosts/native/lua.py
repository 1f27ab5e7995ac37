"""A real LuaJIT that reads Fusion's settings as tables, and a writer that saves them as Fusion might.

What it cannot show: which tools and controls Fusion knows, and what it does with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import lupa.luajit21

PREPARE = """
setmetatable(_G, {__index = function(_, kind)
    return function(told)
        if told == nil then return function(inner) inner.__kind = "ordered()" return inner end end
        told.__kind = kind
        return told
    end
end})
"""


@dataclass
class Loaded:
    """A Lua table as Python: what was listed, what was named, and the constructor it had."""

    kind: str = ""
    listed: list[Any] = field(default_factory=list)
    named: dict[Any, Any] = field(default_factory=dict)

    def __getitem__(self, path: str) -> Any:
        """`told["Tools/soft/Inputs"]`"""
        here: Any = self
        for name in path.split("/"):
            here = here.named[name]
        return here


class LuaJIT:
    def __init__(self) -> None:
        self._lua = lupa.luajit21.LuaRuntime(unpack_returned_tuples=True)
        self._lua.execute(PREPARE)

    def load(self, text: str) -> Loaded:
        loaded = self._python(self._lua.eval(text))
        assert isinstance(loaded, Loaded)
        return loaded

    def compiles(self, text: str) -> bool:
        return self._lua.eval("function(text) return loadstring(text) ~= nil end")(text)

    def text(self, literal: str) -> Any:
        return self._lua.eval(literal)

    def _python(self, value: Any) -> Any:
        if lupa.luajit21.lua_type(value) != "table":
            return value
        told = Loaded()
        count = len(value)
        for key, item in value.items():
            if key == "__kind":
                told.kind = item
            elif isinstance(key, int) and 1 <= key <= count:
                continue
            else:
                told.named[key] = self._python(item)
        told.listed = [self._python(value[at]) for at in range(1, count + 1)]
        return told


def save(value: Any) -> str:
    """A table as text, in another manner than ours: sorted, keys in brackets, on one line."""
    if isinstance(value, Loaded):
        items = [save(item) for item in value.listed]
        items += [f"[{save(name)}]={save(item)}" for name, item in sorted(value.named.items(), key=lambda i: str(i[0]))]
        return f"{value.kind}{{{''.join(f'{item};' for item in items)}}}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:.15g}"
    return "'" + "".join(f"\\{ord(c):03d}" if ord(c) < 32 or c in "'\\\"" else c for c in str(value)) + "'"

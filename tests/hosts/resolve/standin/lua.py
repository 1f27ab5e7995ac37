"""The stand-in as a Lua script sees it, in a real LuaJIT: methods by colon, lists as tables counted from 1, nil."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lupa.luajit21 import LuaRuntime, lua_type

from tests.hosts.resolve.standin.faces import Face


class Handle:
    """One face on the Lua side."""

    def __init__(self, runtime: LuaRuntime, face: Face) -> None:
        self._runtime = runtime
        self._face = face

    def __getattr__(self, name: str) -> Callable[..., Any] | None:
        member = getattr(self._face, name)
        if member is None:
            return None

        def call(_self: Any, *values: Any) -> Any:
            return to_lua(self._runtime, member(*(from_lua(value) for value in values)))

        return call


def to_lua(runtime: LuaRuntime, value: Any) -> Any:
    if isinstance(value, Face):
        return Handle(runtime, value)
    if isinstance(value, (list, tuple)):
        return runtime.table_from([to_lua(runtime, each) for each in value])
    if isinstance(value, dict):
        return runtime.table_from({name: to_lua(runtime, each) for name, each in value.items()})
    return value


def from_lua(value: Any) -> Any:
    if isinstance(value, Handle):
        return value._face
    if lua_type(value) == "table":
        items = {name: from_lua(each) for name, each in value.items()}
        if items and set(items) == set(range(1, len(items) + 1)):
            return [items[number] for number in range(1, len(items) + 1)]
        return items
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def runtime(resolve: Face | None, *, without: tuple[str, ...] = ()) -> LuaRuntime:
    """A LuaJIT with the global `resolve`, less the globals named: Resolve's own is said to lack some at times."""
    made = LuaRuntime(unpack_returned_tuples=True, encoding="utf-8")
    if resolve is not None:
        made.globals().resolve = Handle(made, resolve)
    made.globals().python = None
    for name in without:
        made.globals()[name] = None
    return made

"""The stand-in from another process, as Resolve's own Python module is: names are asked for over a connection.

The near side needs the standard library alone, so that an adapter can run on the Python of any host while the stand-in
runs where its libraries are.
"""

from __future__ import annotations

import threading
from multiprocessing.connection import Client, Connection, Listener
from typing import Any

TOKEN = "a face of Resolve's"


class Near:
    """One object of Resolve's, for a script. `_name` None is Resolve itself."""

    def __init__(self, line: Any, number: int) -> None:
        self._line = line
        self._number = number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*values: Any) -> Any:
            self._line.send((self._number, name, _out(values)))
            fine, answer = self._line.recv()
            if not fine:
                raise RuntimeError(answer)
            return self._in(answer)

        return call

    def _in(self, value: Any) -> Any:
        if isinstance(value, tuple) and len(value) == 2 and value[0] == TOKEN:
            return Near(self._line, value[1])
        if isinstance(value, (list, tuple)):
            return [self._in(each) for each in value]
        if isinstance(value, dict):
            return {name: self._in(each) for name, each in value.items()}
        return value


def _out(value: Any) -> Any:
    if isinstance(value, Near):
        return (TOKEN, value._number)
    if isinstance(value, (list, tuple)):
        return [_out(each) for each in value]
    if isinstance(value, dict):
        return {name: _out(each) for name, each in value.items()}
    return value


def resolve_at(address: str) -> Near:
    """The object `resolve` behind an address."""
    return Near(Client(address), 0)


class Far:
    """Serves one face, and all that it gives, to one script at a time, in a thread."""

    def __init__(self, face: Any, address: str) -> None:
        self._faces = [face]
        self._listener = Listener(address)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                with self._listener.accept() as line:
                    self._answer(line)
            except (EOFError, OSError):
                if self._listener._listener is None:  # type: ignore[attr-defined]
                    return

    def _answer(self, line: Connection) -> None:
        while True:
            number, name, values = line.recv()
            try:
                member = getattr(self._faces[number], name)
                line.send((True, self._give(member(*self._take(values)))))
            except Exception as error:
                line.send((False, f"{type(error).__name__}: {error}"))

    def _give(self, value: Any) -> Any:
        if hasattr(type(value), "_kind"):
            self._faces.append(value)
            return (TOKEN, len(self._faces) - 1)
        if isinstance(value, (list, tuple)):
            return [self._give(each) for each in value]
        if isinstance(value, dict):
            return {name: self._give(each) for name, each in value.items()}
        return value

    def _take(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            if len(value) == 2 and value[0] == TOKEN:
                return self._faces[value[1]]
            return [self._take(each) for each in value]
        if isinstance(value, dict):
            return {name: self._take(each) for name, each in value.items()}
        return value

"""The bridge's client as the session wants it: dialled in a thread, then only posted to and polled."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .client import Client
from .errors import BridgeError
from .frames import DTYPES, Frame, FrameReader
from .session import Body, Trouble, Unreachable
from .wire import is_local

WIDEST = 160
"""Pixels of a picture in the panel, along its longer side; more would cost the artist's interface time."""
_PASSING = frozenset({"no-daemon", "no-start", "unreachable", "timeout", "closed"})


def dial(
    home: str | Path | None,
    endpoint: str | None,
    start: bool,
    *,
    introduction: Mapping[str, str],
    python: str | None = None,
) -> Line:
    """Reach the daemon of this machine, and start it where `start` says so and none runs. Takes seconds.

    `introduction` is who asks ("name", "version", "host"), as job lists show it; `python` has the daemon and starts it
    where none ran here before. Raises `Unreachable`.
    """
    if endpoint is not None and not is_local(endpoint):
        raise Unreachable(
            f"The daemon at {endpoint} is on another machine, but clips arrive as files on this one. "
            "Try an endpoint that begins with tcp://127.0.0.1 or ipc://, or leave it empty."
        )
    client = Client(home, endpoint=endpoint, python=python, **introduction)
    try:
        client.connect(start=start)
    except BridgeError as error:
        client.close()
        raise Unreachable(error.sentence()) from error
    return Line(client)


class Line:
    """`session.Line` over a bridge client."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._frames = FrameReader()

    def post(self, op: str, body: Body, done: Callable[[Body | None, Trouble | None], None]) -> None:
        def told(reply: Body | None, error: BridgeError | None) -> None:
            done(reply, None if error is None else Trouble(error.sentence(), passing=error.code in _PASSING))

        self._client.post(op, body, told)

    def poll(self) -> list[Body]:
        return self._client.poll()

    def picture(self, event: Body) -> tuple[int, int, list[float]] | None:
        try:
            return small(self._frames.copy(event["body"]["frame"], event.get("parts", ())))
        except BridgeError:
            return None

    def close(self) -> None:
        self._frames.close()
        self._client.close()


def small(frame: Frame) -> tuple[int, int, list[float]]:
    """(width, height, RGBA floats from the bottom row up) of a picture, thinned out to `WIDEST`."""
    size = DTYPES[frame.dtype][1]
    step = -(-max(frame.width, frame.height) // WIDEST)
    rows, columns = range(0, frame.height, step), range(0, frame.width, step)
    starts = [(row * frame.width + column) * size for row in reversed(rows) for column in columns]
    data = b"".join(frame.pixels[start : start + size] for start in starts)
    values: tuple[Any, ...] = struct.unpack(f"<{len(data) // 2}e", data) if frame.dtype == "float16" else tuple(data)
    scale = 1.0 if frame.dtype == "float16" else 255.0
    return len(columns), len(rows), [value / scale for value in values]
